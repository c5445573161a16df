//! Replays the seeds of every fuzz target, so that what fuzzing once found stays found where nobody fuzzes.
//!
//! `BLESS=1` writes the seeds anew from the samples. A crash that fuzzing finds is copied beside them under a telling name.
#![allow(clippy::unwrap_used)]

mod samples;

#[path = "../fuzz/laws.rs"]
mod laws;

use std::{fs, path::PathBuf};

use samples::Sample;
use tollgate_wire::frame::Framing;

#[test]
fn every_seed_keeps_the_laws() {
    if std::env::var_os("BLESS").is_some() {
        write_seeds();
    }
    for (name, law) in laws::LAWS {
        let seeds: Vec<_> = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in seeds {
            law(&fs::read(seed).unwrap());
        }
    }
}

fn write_seeds() {
    for sample in samples::all() {
        let file = format!("{}-{}", sample.dialect.name(), sample.story.replace([' ', '\''], "-"));
        for (target, bytes) in seeds(&sample) {
            fs::create_dir_all(folder(target)).unwrap();
            fs::write(folder(target).join(&file), bytes).unwrap();
        }
    }
    fs::create_dir_all(folder("peek")).unwrap();
    fs::write(
        folder("peek").join("chat"),
        r#"{"messages":[{"role":"user","content":"Hi"}],"model":"m","stream":true}"#,
    )
    .unwrap();
    fs::write(
        folder("peek").join("form"),
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--\r\n",
    )
    .unwrap();
}

/// In the form each target expects: what to do with the bytes stands in front of them.
fn seeds(sample: &Sample) -> Vec<(&'static str, Vec<u8>)> {
    let with = |front: &[u8]| [front, &sample.body].concat();
    let dialect = sample.dialect as u8;
    match sample.framing {
        None => vec![("read_whole", with(&[dialect]))],
        Some(Framing::Sse) => vec![("sse", with(&[9])), ("watch", with(&[dialect, 30]))],
        Some(Framing::AwsEvents) => vec![("aws_events", with(&[9])), ("watch", with(&[dialect, 31]))],
        Some(Framing::Ndjson) => vec![("ndjson", with(&[9])), ("watch", with(&[dialect, 32]))],
    }
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}
