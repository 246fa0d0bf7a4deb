//! An API server in memory, as far as the operator's writes need one: objects under their paths,
//! resourceVersions, conflicts, and faults on demand.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use kube::Client;
use serde_json::{Value, json};

/// What goes wrong with the next write.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It is stored, but its answer is lost (a 500).
    AnswerLost,
    /// It is not stored, and fails with this status code and message.
    Refused(u16, String),
    /// Before it arrives, somebody merges this into the object.
    Overtaken(Value),
    /// It is not stored, and is never answered.
    Silent,
    /// Nothing: what fails is a later write.
    None,
}

#[derive(Clone, Default)]
pub(super) struct FakeApi(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    objects: BTreeMap<String, Value>,
    version: u64,
    forbidden: BTreeSet<String>,
    faults: VecDeque<Fault>,
    writes: Vec<(Method, String, Value)>,
    down: bool,
}

/// What the requests of one client pass on their way there and back: each answers in the server's place, or
/// not at all.
pub(super) trait Gate: Send + Sync {
    /// Before a request arrives at what is `stored` under its path.
    fn before<'a>(
        &'a self,
        method: &'a Method,
        stored: &'a Value,
        body: &'a Value,
    ) -> BoxFuture<'a, Option<Response>>;

    /// Behind one that was answered well, with what was `stored` before.
    fn behind<'a>(
        &'a self,
        method: &'a Method,
        stored: &'a Value,
        body: &'a Value,
    ) -> BoxFuture<'a, Option<Response>>;
}

impl FakeApi {
    pub(super) fn client(&self) -> Client {
        Client::new(
            Router::new().fallback(answer).with_state(self.clone()),
            "default",
        )
    }

    /// A client whose requests pass this gate.
    pub(super) fn client_through(&self, gate: Arc<dyn Gate>) -> Client {
        let state = (self.clone(), gate);
        Client::new(Router::new().fallback(pass).with_state(state), "default")
    }

    pub(super) fn insert(&self, path: &str, object: Value) {
        self.0.lock().unwrap().put(path, object);
    }

    pub(super) fn remove(&self, path: &str) {
        self.0.lock().unwrap().objects.remove(path);
    }

    /// Refuses to show what stands at `path`.
    pub(super) fn forbid(&self, path: &str) {
        self.0.lock().unwrap().forbidden.insert(path.to_owned());
    }

    pub(super) fn object(&self, path: &str) -> Value {
        self.0
            .lock()
            .unwrap()
            .objects
            .get(path)
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// Nothing is answered but a 503 while it is down.
    pub(super) fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    pub(super) fn fail_next(&self, fault: Fault) {
        self.0.lock().unwrap().faults.push_back(fault);
    }

    /// The writes that arrived, with path and query.
    pub(super) fn writes(&self) -> Vec<(Method, String, Value)> {
        self.0.lock().unwrap().writes.clone()
    }
}

impl Stored {
    fn put(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    fn write(&mut self, method: &Method, path: &str, body: Value) -> Response {
        match self.faults.pop_front() {
            Some(Fault::Refused(code, message)) => return failure(code, "", &message),
            Some(Fault::AnswerLost) => {
                self.apply(method, path, body);
                return failure(500, "InternalError", "the answer is lost");
            }
            Some(Fault::Overtaken(change)) => {
                let object_path = path.trim_end_matches("/status");
                let mut object = self.objects.get(object_path).cloned().unwrap_or(json!({}));
                merge(&mut object, &change);
                self.put(object_path, object);
            }
            Some(Fault::Silent | Fault::None) | None => {}
        }
        self.apply(method, path, body)
    }

    fn apply(&mut self, method: &Method, path: &str, body: Value) -> Response {
        if *method == Method::POST {
            let path = format!(
                "{path}/{}",
                body["metadata"]["name"].as_str().unwrap_or_default()
            );
            if self.objects.contains_key(&path) {
                return failure(409, "AlreadyExists", "it exists");
            }
            return Json(self.put(&path, body)).into_response();
        }
        let object_path = path.trim_end_matches("/status");
        let Some(stored) = self.objects.get(object_path).cloned() else {
            return failure(404, "NotFound", "no such object");
        };
        if *method == Method::DELETE {
            self.objects.remove(object_path);
            return Json(json!({"kind": "Status", "status": "Success"})).into_response();
        }
        if *method == Method::PATCH {
            let mut next = stored;
            merge(&mut next, &body);
            return Json(self.put(path, next)).into_response();
        }
        if body["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"] {
            return failure(409, "Conflict", "the object has been modified");
        }
        if object_path == path {
            return Json(self.put(path, body)).into_response();
        }
        let mut next = stored;
        next["status"] = body["status"].clone();
        Json(self.put(object_path, next)).into_response()
    }

    /// `None`: no answer ever comes.
    fn answer(&mut self, method: Method, uri: &Uri, body: &Bytes) -> Option<Response> {
        let path = uri.path();
        if self.down {
            return Some(failure(503, "ServiceUnavailable", "etcd has no leader"));
        }
        if method == Method::GET {
            return Some(self.read(path));
        }
        if matches!(self.faults.front(), Some(Fault::Silent)) {
            self.faults.pop_front();
            return None;
        }
        let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        self.writes
            .push((method.clone(), uri.to_string(), value.clone()));
        Some(self.write(&method, path, value))
    }

    fn read(&self, path: &str) -> Response {
        match self.objects.get(path) {
            _ if self.forbidden.contains(path) => failure(403, "Forbidden", "not yours to read"),
            Some(object) => Json(object.clone()).into_response(),
            None if path.ends_with("/secrets") || path.ends_with("/pollerwindows") => {
                Json(self.list(path)).into_response()
            }
            None => failure(404, "NotFound", "no such object"),
        }
    }

    fn list(&self, path: &str) -> Value {
        let prefix = format!("{path}/");
        let items: Vec<_> = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(_, o)| o)
            .collect();
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items})
    }
}

async fn answer(State(api): State<FakeApi>, method: Method, uri: Uri, body: Bytes) -> Response {
    let answer = api.0.lock().unwrap().answer(method, &uri, &body);
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

async fn pass(
    State((api, gate)): State<(FakeApi, Arc<dyn Gate>)>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let name = value["metadata"]["name"].as_str().unwrap_or_default();
    let path = match method {
        Method::POST => format!("{}/{name}", uri.path()),
        _ => uri.path().to_owned(),
    };
    let stored = api.object(&path);
    if let Some(answered) = gate.before(&method, &stored, &value).await {
        return answered;
    }
    let response = answer(State(api), method.clone(), uri, body).await;
    if !response.status().is_success() {
        return response;
    }
    let answered = gate.behind(&method, &stored, &value).await;
    answered.unwrap_or(response)
}

pub(super) fn failure(code: u16, reason: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(code).unwrap();
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message});
    (status, Json(body)).into_response()
}

fn merge(target: &mut Value, change: &Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (key, value) in change {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (target, change) => *target = change.clone(),
    }
}
