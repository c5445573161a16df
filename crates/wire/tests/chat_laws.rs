//! The laws of translation, run against every chat dialect by one macro.
//!
//! - Reading what was written gives what there was, or the ledger says what is missing: for requests, whole answers and streams, for each feature
//!   alone and for all mixtures of them (`mixtures`).
//! - A stream adds up to the whole answer, and cutting its bytes anywhere changes nothing.
//! - No bytes panic, and no stream without its last word ends in success.
//! - A provider's seal survives the caller's dialect, whole and streamed.
//! - Faults keep their kind and their words.
//!
//! `pairs` runs the same features through every pair of dialects and writes the table of docs/translation.md.

#![allow(clippy::unwrap_used)]

use tollgate_wire::dialect::Dialect;

#[path = "chat_laws/answers.rs"]
mod answers;
#[path = "chat_laws/canon.rs"]
mod canon;
#[path = "chat_laws/check.rs"]
mod check;
#[path = "chat_laws/echo.rs"]
mod echo;
#[path = "chat_laws/mixtures.rs"]
mod mixtures;
#[path = "chat_laws/pairs.rs"]
mod pairs;
#[path = "chat_laws/requests.rs"]
mod requests;

macro_rules! laws {
    ($($name:ident: $dialect:expr;)*) => {
        /// Every dialect that is translated obeys the laws.
        const LAWFUL: &[Dialect] = &[$($dialect),*];

        $(mod $name {
            use super::*;

            #[test]
            fn requests_read_as_written() {
                check::requests($dialect);
            }

            #[test]
            fn answers_read_as_written() {
                check::answers($dialect);
            }

            #[test]
            fn streams_add_up_however_they_are_cut() {
                check::streams($dialect);
            }

            #[test]
            fn no_bytes_panic() {
                mixtures::no_bytes_panic($dialect);
            }

            #[test]
            fn mixtures_of_features_keep_the_laws() {
                mixtures::keep_the_laws($dialect);
            }

            #[test]
            fn broken_off_streams_never_succeed() {
                check::broken_off($dialect);
            }

            #[test]
            fn faults_keep_kind_and_words() {
                check::faults($dialect);
            }

            #[test]
            fn seals_survive_the_callers_dialect() {
                check::seals($dialect);
            }
        })*
    };
}

laws! {
    openai_chat: Dialect::OpenaiChat;
    openai_responses: Dialect::OpenaiResponses;
    anthropic_messages: Dialect::AnthropicMessages;
    bedrock_converse: Dialect::BedrockConverse;
    gemini: Dialect::Gemini;
    cohere_v2: Dialect::CohereV2;
    ollama_chat: Dialect::OllamaChat;
}

#[test]
fn every_dialect_that_is_translated_is_listed_here() {
    for (name, dialect) in tollgate_wire::dialect::ALL {
        assert_eq!(dialect.chat().is_some(), LAWFUL.contains(&dialect), "{name}");
    }
}
