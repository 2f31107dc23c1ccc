//! What becomes of odd and hostile files: a table of inputs, each made on the fly and taken through the whole workflow.
//!
//! Every row ends as a title that independent programs find correct, or as a failure in words that tell its creator what
//! to do. `house` runs the workflow, `judge` looks at what came of it; the rows are sorted by what is odd about them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod build;
mod clocks;
mod containers;
mod cut;
mod disguised;
mod house;
mod judge;
mod lies;
mod pictures;
mod sound;
mod streams;
mod wanted;

/// Rows of the table: a name, what is uploaded, and what must come of it. `place` is where the row may plant things.
macro_rules! rows {
    ($($(#[$attribute:meta])* $name:ident($place:ident): $made:expr => $wanted:expr;)+) => {$(
        $(#[$attribute])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let house = crate::house::House::new().await;
            let $place = &house.place;
            let _ = $place;
            let file: std::path::PathBuf = $made;
            crate::judge::check(&house, &file, $wanted).await;
        }
    )+};
}
pub(crate) use rows;
