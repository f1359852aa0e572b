//! Errors as problem documents. What the database said goes to the log, not to the caller.

use super::types::Problem;
use crate::db::DbError;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Busy(&'static str),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, title, detail) = match self {
            Self::NotFound(detail) => (StatusCode::NOT_FOUND, "Not found", detail),
            Self::BadRequest(detail) => (StatusCode::BAD_REQUEST, "Bad request", detail),
            Self::Busy(detail) => (StatusCode::SERVICE_UNAVAILABLE, "Busy", detail.to_owned()),
            Self::Db(error) => {
                tracing::warn!(%error, "a query of the API failed");
                let detail = "the database did not answer; try again in a moment".to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, "Unavailable", detail)
            }
        };
        let problem = Problem { title: title.to_owned(), status: status.as_u16(), detail };
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
    }
}
