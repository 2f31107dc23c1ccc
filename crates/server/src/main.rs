//! The `kinora` program.

fn main() {
    println!("{}", server::router::document().to_pretty_json().unwrap_or_default());
}
