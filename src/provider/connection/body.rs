//! Reading bodies with limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// Why a body could not be read.
pub(super) enum Broken {
    TooLarge,
    Idle,
    Transport(reqwest::Error),
}

/// The whole body, decompressed.
pub(super) async fn read(
    mut response: Response,
    limit: usize,
    idle: Duration,
) -> Result<Bytes, Broken> {
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Broken::TooLarge);
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = next(&mut response, idle).await? {
        if body.len() + chunk.len() > limit {
            return Err(Broken::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn next(response: &mut Response, idle: Duration) -> Result<Option<Bytes>, Broken> {
    let chunk = tokio::time::timeout(idle, response.chunk())
        .await
        .map_err(|_| Broken::Idle)?;
    chunk.map_err(Broken::Transport)
}
