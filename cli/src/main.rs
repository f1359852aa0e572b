//! The `tatum` program; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tatum_cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The whole chain of causes, and no backtrace: errors here are for the user.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
