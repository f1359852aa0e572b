//! The `tatum` program; see the library.

fn main() -> anyhow::Result<()> {
    tatum_cli::run()
}
