//! `sqlx::migrate!` embeds the migrations; a new file has to rebuild the crate.
fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
