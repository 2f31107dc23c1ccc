//! `docs/lint.md` lists the rules as the code has them.

const BEGIN: &str = "<!-- rules: written by the test `docs` of crates/media; do not edit -->\n";
const END: &str = "<!-- end of rules -->\n";

#[test]
fn the_table_is_that_of_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lint.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let wanted = media::lint::rules::markdown();
    if table != wanted && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert!(table == wanted, "docs/lint.md is old: run this test with UPDATE_DOCS=1");
}
