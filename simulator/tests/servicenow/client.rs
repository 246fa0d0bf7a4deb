//! A client with the user's name and password, and the instance it asks.

use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use simulator::{Served, servicenow::Instance};

pub(crate) struct World {
    pub(crate) instance: Instance,
    pub(crate) served: Served,
    pub(crate) http: reqwest::Client,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let instance = Instance::new();
        let served = instance.listen("127.0.0.1:0").await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            instance,
            served,
            http,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.served.url())
    }

    /// A request of the API with the user's credentials.
    pub(crate) fn request(&self, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let request = self.http.get(self.url(path)).query(query);
        request.basic_auth("integration", Some("demo-password"))
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Reply {
        Reply::of(self.request(path, query)).await
    }

    pub(crate) async fn list(&self, table: &str, query: &[(&str, &str)]) -> Reply {
        self.get(&format!("/api/now/table/{table}"), query).await
    }
}

impl Reply {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The ids of the rows, run together.
    pub(crate) fn ids(&self) -> String {
        let rows = self.json()["result"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["sys_id"].as_str().unwrap())
            .collect()
    }
}
