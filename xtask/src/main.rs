//! Chores of the repository, one file each: `cargo xtask NAME`.

mod prices;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("prices") => prices::run(arguments),
        other => anyhow::bail!("expected the name of a chore, found {other:?}"),
    }
}
