//! A command-line program: arguments, help and exit codes.

use std::{error::Error, fmt::Display, process::ExitCode};

/// Runs a program with what became of its arguments: exit code 0 when it ran or gave its help, 1 when it failed, 2 when it
/// cannot be run with these arguments.
pub fn main<A>(
    name: &str,
    usage: &str,
    arguments: Result<Option<A>, impl Display>,
    run: impl FnOnce(&A) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let arguments = match arguments {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{usage}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{name}: {error}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
