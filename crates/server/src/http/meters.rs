//! Counts and times answers for Prometheus. What is counted often is looked up once: the names of a metric are many strings.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

/// Answers by route, method and status.
#[derive(Default)]
pub struct Meters(RwLock<HashMap<String, Vec<Meter>>>);

/// One method and status of a route.
struct Meter {
    method: &'static str,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
}

impl Meters {
    pub fn note(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let method = word(method);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let meters = known.get(route).map(Vec::as_slice).unwrap_or_default();
        if let Some(meter) = meters.iter().find(|meter| meter.method == method && meter.status == status) {
            return meter.note(took);
        }
        drop(known);
        let meter = Meter::new(route, method, status);
        meter.note(took);
        // Two of the same, if another thread was as quick, count into the same.
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().push(meter);
    }
}

impl Meter {
    fn new(route: &str, method: &'static str, status: StatusCode) -> Self {
        let labels = [("route", route.to_owned()), ("method", method.to_owned())];
        let seconds = histogram!("kinora_http_request_seconds", &labels);
        let [route, word] = labels;
        let labels = [route, word, ("status", status.as_str().to_owned())];
        Self { method, status, requests: counter!("kinora_http_requests_total", &labels), seconds }
    }

    fn note(&self, took: Duration) {
        self.requests.increment(1);
        self.seconds.record(took.as_secs_f64());
    }
}

/// Clients may make methods up, without end.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_method_and_status_is_counted_apart() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let meters = Meters::default();
            let took = Duration::from_millis(3);
            let made_up = Method::from_bytes(b"BREW").unwrap();
            for (route, method, status) in [
                ("/a/{id}", &Method::GET, StatusCode::OK),
                ("/a/{id}", &Method::GET, StatusCode::OK),
                ("/a/{id}", &Method::GET, StatusCode::NOT_FOUND),
                ("/a/{id}", &Method::POST, StatusCode::OK),
                ("/b", &made_up, StatusCode::OK),
            ] {
                meters.note(route, method, status, took);
            }
        });
        let mut told: Vec<String> =
            handle.render().lines().filter(|line| line.contains("_total{")).map(str::to_owned).collect();
        told.sort();
        assert_eq!(
            told,
            [
                r#"kinora_http_requests_total{route="/a/{id}",method="GET",status="200"} 2"#,
                r#"kinora_http_requests_total{route="/a/{id}",method="GET",status="404"} 1"#,
                r#"kinora_http_requests_total{route="/a/{id}",method="POST",status="200"} 1"#,
                r#"kinora_http_requests_total{route="/b",method="other",status="200"} 1"#,
            ]
        );
    }
}
