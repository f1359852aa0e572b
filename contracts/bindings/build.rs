//! `sol!` embeds the artifacts; a new one has to rebuild the crate.
fn main() {
    println!("cargo:rerun-if-changed=../artifacts");
}
