//! `tollgate NOUN VERB`, made from the table of endpoints: a resource that says its verbs there has them here, on the data directory and on a server.
//!
//! Enters: rows with a verb. Leaves: commands for the parser, and the row that was meant. Never: names a resource.

mod flags;
mod sample;
mod show;
mod value;
mod work;

pub(crate) mod told;

use std::sync::OnceLock;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tollgate_control::resources::resources;
use tollgate_control::row::{Answers, Row, Verb};

pub(crate) use show::one as show_one;
pub(crate) use work::run;

use flags::{flags, positionals};

/// Other words for the usual verbs.
const ALSO: &[(&str, &str)] = &[
    ("show", "get"),
    ("get", "show"),
    ("create", "add"),
    ("delete", "remove"),
    ("delete", "revoke"),
    ("update", "edit"),
    ("update", "rotate"),
];

/// A row that a shell can ask, with the title of its resource.
pub(crate) struct Spoken {
    pub(crate) verb: Verb,
    pub(crate) row: &'static Row,
    title: &'static str,
}

/// All of them, in the order of the manual. What the user and the account have in common is asked of the account.
pub(crate) fn spoken() -> impl Iterator<Item = Spoken> {
    let each = |(title, rows): &(&'static str, &'static [Row])| {
        let title = *title;
        rows.iter().filter_map(move |row| Some(Spoken { verb: row.verb?, row, title }))
    };
    resources().iter().flat_map(each).filter(|spoken| !spoken.row.path.starts_with("/user"))
}

/// The parser with the table's nouns beside those that it has. A verb that is there already is more than a row, and stays.
pub(crate) fn grow(mut cli: Command) -> Command {
    for spoken in spoken() {
        let Verb { noun, name, .. } = spoken.verb;
        if cli.get_subcommands().all(|each| each.get_name() != noun) {
            let about = spoken.title.trim_end_matches(" of the account");
            cli =
                cli.subcommand(Command::new(noun).about(about).subcommand_required(true).arg_required_else_help(true));
        }
        cli = cli.mut_subcommand(noun, |there| match has(&there, name) {
            true => there,
            false => {
                let also =
                    ALSO.iter().filter(|(verb, also)| *verb == name && !has(&there, also)).map(|(_, also)| *also);
                let command = command(&spoken).aliases(also.collect::<Vec<_>>());
                there.subcommand(command)
            }
        });
    }
    cli
}

/// The row that a command line means, with its arguments; nothing when the verb is more than a row.
pub(crate) fn meant<'m>(cli: &Command, matches: &'m ArgMatches) -> Option<(&'static Row, Verb, &'m ArgMatches)> {
    let (noun, below) = matches.subcommand()?;
    let (name, arguments) = below.subcommand()?;
    // What the parser had before it grew is no row.
    if cli.find_subcommand(noun).is_some_and(|there| has(there, name)) {
        return None;
    }
    let found = spoken().find(|spoken| spoken.verb.noun == noun && spoken.verb.name == name)?;
    Some((found.row, found.verb, arguments))
}

fn has(command: &Command, name: &str) -> bool {
    command.get_subcommands().any(|each| each.get_name() == name || each.get_all_aliases().any(|alias| alias == name))
}

fn command(spoken: &Spoken) -> Command {
    let Spoken { verb, row, .. } = spoken;
    let json =
        Arg::new("json").long("json").action(ArgAction::SetTrue).help("For programs: the answer as one line of JSON");
    let mut command = Command::new(verb.name).about(row.doc).args(positionals(row)).args(flags(row, verb)).arg(json);
    if row.body.is_some() {
        let help = "The members as one JSON object; what is said by flags counts more; @FILE or - reads it";
        command = command.arg(Arg::new("body").long("body").value_name("JSON").help(help));
    }
    if matches!(row.answer, Answers::Page(_)) {
        let help = "At most so many rows, over as many pages as it takes";
        command = command.arg(Arg::new("limit").long("limit").value_name("ROWS").help(help));
    }
    command.after_help(format!("Example:\n  {}", example(spoken)))
}

/// A line that the parser takes; a test sees to that.
pub(crate) fn example(spoken: &Spoken) -> String {
    let Verb { noun, name, .. } = spoken.verb;
    let mut line = format!("tollgate {noun} {name}");
    for word in sample::words(spoken.row, &spoken.verb) {
        line.push(' ');
        line.push_str(&word);
    }
    line
}

/// The parser wants names that live as long as it does; they are made once for each.
fn kept(name: &str) -> &'static str {
    static NAMES: OnceLock<parking_lot::Mutex<Vec<&'static str>>> = OnceLock::new();
    let mut names = NAMES.get_or_init(Default::default).lock();
    if let Some(found) = names.iter().find(|each| **each == name) {
        return found;
    }
    let made: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.push(made);
    made
}

#[cfg(test)]
mod tests;
