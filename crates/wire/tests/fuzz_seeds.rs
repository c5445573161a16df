//! Replays the seeds of every fuzz target, so that what fuzzing once found stays found where nobody fuzzes.
//!
//! `BLESS=1` writes the seeds anew from the samples. A crash that fuzzing finds is copied beside them under a telling name.
#![allow(clippy::unwrap_used)]

mod samples;

#[path = "../fuzz/laws.rs"]
mod laws;

use std::{fs, path::PathBuf};

use samples::Sample;
use tollgate_wire::chat::{Block, Losses, Request, Role, Turn};
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

const EDITED: &str = r#" {"mod\u0065l" : "a", "seed":7 ,"temperature":1.5,"max_completion_tokens":9,"user":null,"seed":8, "x":[{"seed":1}]} "#;

fn write_seeds() {
    for sample in samples::all() {
        let file = format!("{}-{}", sample.dialect.name(), sample.story.replace([' ', '\''], "-"));
        for (target, bytes) in seeds(&sample) {
            fs::create_dir_all(folder(target)).unwrap();
            fs::write(folder(target).join(&file), bytes).unwrap();
        }
    }
    for (_, dialect) in tollgate_wire::dialect::ALL {
        let Some(chat) = dialect.chat() else { continue };
        let mut request = Request::new(dialect);
        request.turns.push(Turn { blocks: vec![Block::text("Hi")], ..Turn::new(Role::User, 0) });
        let body = chat.write_request(&request, &mut Losses::default());
        fs::create_dir_all(folder("chat_request")).unwrap();
        fs::write(folder("chat_request").join(dialect.name()), [&[dialect as u8], &body[..]].concat()).unwrap();
    }
    fs::create_dir_all(folder("edit")).unwrap();
    fs::write(folder("edit").join("all"), EDITED).unwrap();
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
        None => vec![("read_whole", with(&[dialect])), ("chat_answer", with(&[dialect]))],
        Some(framing) => {
            let (cutter, how) = match framing {
                Framing::Sse => ("sse", 30),
                Framing::AwsEvents => ("aws_events", 31),
                Framing::Ndjson => ("ndjson", 32),
            };
            vec![(cutter, with(&[9])), ("watch", with(&[dialect, how])), ("chat_stream", with(&[dialect, 30]))]
        }
    }
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}
