//! The README shows code that compiles: the example itself, and a test of it that is one of ours.

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_shows_the_example_word_for_word() {
    let example = include_str!("../../examples/paged.rs");
    assert!(README.contains(&format!("```rust\n{example}```\n")), "copy examples/paged.rs into README.md");
}

#[test]
fn the_readme_shows_the_test_word_for_word() {
    let (_, test) =
        include_str!("snippet.rs").split_once("use crate::paged::Shelf;\n").expect("the first line");
    assert!(
        README.contains(&format!("```rust,ignore\n{test}```\n")),
        "copy tests/vendor/snippet.rs into README.md"
    );
}
