//! The dashboard: one static page on top of the API, embedded in the binary, nothing loaded from elsewhere.

use crate::api::ApiState;
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

const PAGE: &str = include_str!("dashboard/index.html");
const SCRIPT: &str = include_str!("dashboard/app.js");
const STYLE: &str = include_str!("dashboard/style.css");

pub(crate) fn router() -> Router<ApiState> {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", PAGE)))
        .route("/app.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/style.css", get(async || file("text/css; charset=utf-8", STYLE)))
}

fn file(kind: &'static str, content: &'static str) -> impl IntoResponse {
    // Short: a new binary brings a new page.
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=60")], content)
}
