//! Gives the package the name that it had: the door compares the name of the package that a type comes from, and Cargo wants
//! two packages of one workspace to have two.

fn main() {
    println!("cargo::rustc-env=CARGO_PKG_NAME=jackfield-plugin");
    println!("cargo::rerun-if-changed=build.rs");
}
