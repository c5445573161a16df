//! Mixtures of features, and bytes that nobody wrote on purpose.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tollgate_wire::chat::{Losses, unfold};
use tollgate_wire::dialect::Dialect;

use crate::check::{chat, decoded, encoded, streamed_answer, telling, written_answer, written_request};
use crate::{answers, requests};

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Up to four features at once, in any order that makes sense.
pub(crate) fn keep_the_laws(dialect: Dialect) {
    let several = |all: usize| prop::collection::btree_set(0..all, 1..5);
    runner(300)
        .run(&several(requests::ALL.len()), |chosen| {
            let mut request = requests::base(dialect);
            let mut names = Vec::new();
            for at in chosen {
                // Each feature that adds turns counts on being the first to do so.
                let before = request.clone();
                (requests::ALL[at].add)(&mut request, dialect);
                if before.turns.len() > 1 && request.turns.len() > before.turns.len() {
                    request = before;
                    continue;
                }
                names.push(requests::ALL[at].name);
            }
            request.tools.dedup_by(|later, earlier| later.kind == earlier.kind);
            written_request(dialect, &names.join(" + "), &request);
            Ok(())
        })
        .unwrap();
    runner(200)
        .run(&several(answers::ALL.len()), |chosen| {
            let mut answer = answers::base(dialect);
            let names: Vec<_> = chosen.iter().map(|at| answers::ALL[*at].name).collect();
            chosen.iter().for_each(|at| (answers::ALL[*at].add)(&mut answer));
            written_answer(dialect, &names.join(" + "), &answer);
            streamed_answer(dialect, &names.join(" + "), &answer);
            Ok(())
        })
        .unwrap();
}

/// Bytes that were once right, with some of them changed, taken out or doubled; and bytes that never were.
pub(crate) fn no_bytes_panic(dialect: Dialect) {
    let samples = samples(dialect);
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5u8, any::<u8>());
    let changes = (any::<prop::sample::Index>(), prop::collection::vec(change, 1..6));
    runner(2_000)
        .run(&changes, |(which, changes)| {
            let mut bytes = samples[which.index(samples.len())].clone();
            for (at, until, kind, byte) in changes {
                spoil(&mut bytes, at, until, kind, byte);
            }
            swallow(dialect, &bytes);
            Ok(())
        })
        .unwrap();
    runner(300)
        .run(&prop::collection::vec(any::<u8>(), 0..200), |bytes| {
            swallow(dialect, &bytes);
            Ok(())
        })
        .unwrap();
}

fn spoil(bytes: &mut Vec<u8>, at: prop::sample::Index, until: prop::sample::Index, kind: u8, byte: u8) {
    if bytes.is_empty() {
        return;
    }
    let (at, until) = (at.index(bytes.len()), until.index(bytes.len()));
    let (from, to) = (at.min(until), at.max(until));
    // Values that are right as JSON and wrong as anything else.
    const VALUES: [&[u8]; 8] = [b"null", b"-1", b"1e400", b"[]", b"{}", b"\"\"", b"true", b"[[[[[[[[1]]]]]]]]"];
    match kind {
        0 => bytes[at] = byte,
        1 => drop(bytes.drain(from..to.min(from + 40))),
        2 => {
            let piece = bytes[from..to.min(from + 40)].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            // The value after the next colon.
            let Some(colon) = bytes[at..].iter().position(|byte| *byte == b':').map(|colon| at + colon + 1) else {
                return;
            };
            let end = bytes[colon..].iter().position(|byte| b",}]\n".contains(byte)).map_or(bytes.len(), |e| colon + e);
            bytes.splice(colon..end, VALUES[usize::from(byte) % VALUES.len()].iter().copied());
        }
    }
}

fn samples(dialect: Dialect) -> Vec<Vec<u8>> {
    let mut samples = Vec::new();
    for feature in requests::ALL {
        let mut request = requests::base(dialect);
        (feature.add)(&mut request, dialect);
        samples.push(chat(dialect).write_request(&request, &mut Losses::default()));
    }
    for feature in answers::ALL {
        let mut answer = answers::base(dialect);
        (feature.add)(&mut answer);
        samples.push(chat(dialect).write_answer(&answer, &telling(), &mut Losses::default()));
        samples.push(encoded(dialect, unfold(answer)).0.to_vec());
    }
    samples
}

/// Whatever is understood can be written again, in every dialect.
fn swallow(dialect: Dialect, bytes: &[u8]) {
    if let Ok(request) = chat(dialect).read_request(bytes) {
        for other in crate::LAWFUL {
            chat(*other).write_request(&request, &mut Losses::default());
        }
    }
    if let Ok(answer) = chat(dialect).read_answer(bytes) {
        for other in crate::LAWFUL {
            chat(*other).write_answer(&answer, &telling(), &mut Losses::default());
        }
    }
    let events = decoded(dialect, &[bytes]);
    crate::check::assert_ordered(&String::from_utf8_lossy(bytes), &events);
    for other in crate::LAWFUL {
        encoded(*other, events.clone());
    }
    chat(dialect).read_fault(400, bytes);
}
