//! axum's path and query extractors, with refusals as problem documents.

use super::ApiError;
use axum::extract::{self, FromRequestParts};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

pub(super) struct Path<T>(pub(super) T);
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = extract::Path::from_request_parts(parts, state).await;
        found
            .map(|extract::Path(value)| Self(value))
            .map_err(|refusal| ApiError::BadRequest(refusal.body_text()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = extract::Query::from_request_parts(parts, state).await;
        found
            .map(|extract::Query(value)| Self(value))
            .map_err(|refusal| ApiError::BadRequest(refusal.body_text()))
    }
}
