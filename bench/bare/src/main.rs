//! `bare BYTES`: a server that answers every request with the same JSON text of so many bytes. Prints its port.

use axum::{Router, http::header, routing::get};

#[tokio::main]
async fn main() {
    let bytes: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("bare BYTES");
    let body: &'static str = format!("{:bytes$}", "{}").leak();
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], body) };
    let router = Router::new().route("/{*rest}", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address").port());
    axum::serve(listener, router).await.expect("serving");
}
