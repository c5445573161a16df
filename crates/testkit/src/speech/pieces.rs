//! Counts text, and cuts it the way a model emits it.
//!
//! Enters: text. Leaves: token counts, pieces. Never: depends on a tokenizer's tables.
//!
//! **A token is a word between white space; a word longer than 16 letters counts one for every 16 begun.** No tokenizer agrees, but
//! anyone can check a number of the sandbox by counting.

use std::ops::Range;

const WORD_LETTERS: usize = 16;

pub(crate) fn tokens(text: &str) -> u64 {
    text.split_whitespace().map(|word| word.chars().count().div_ceil(WORD_LETTERS) as u64).sum()
}

/// Where the text has to end to have at most this many tokens; `None` when it has no more.
pub(super) fn end_of_tokens(text: &str, most: u64) -> Option<usize> {
    let (mut count, mut word_letters, mut end) = (0_u64, 0, 0);
    for (at, letter) in text.char_indices() {
        if letter.is_whitespace() {
            word_letters = 0;
            continue;
        }
        if word_letters % WORD_LETTERS == 0 {
            count += 1;
            if count > most {
                return Some(end);
            }
        }
        word_letters += 1;
        end = at + letter.len_utf8();
    }
    None
}

/// Cuts text into ranges that cover it: a word with the space after it each, or as many pieces as wanted, if it has that many.
pub(crate) fn pieces(text: &str, wanted: Option<u32>) -> Vec<Range<usize>> {
    let words = words(text);
    let Some(wanted) = wanted.map(|wanted| wanted as usize).filter(|wanted| *wanted < words.len()) else {
        return words;
    };
    let edge = |number: usize| number * words.len() / wanted;
    (0..wanted).map(|number| words[edge(number)].start..words[edge(number + 1) - 1].end).collect()
}

fn words(text: &str) -> Vec<Range<usize>> {
    let (mut ranges, mut start, mut letters, mut spaced) = (Vec::new(), 0, 0, false);
    for (at, letter) in text.char_indices() {
        if !letter.is_whitespace() && (spaced || letters >= WORD_LETTERS) {
            ranges.push(start..at);
            (start, letters) = (at, 0);
        }
        spaced = letter.is_whitespace();
        letters += 1;
    }
    if start < text.len() {
        ranges.push(start..text.len());
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_can_be_counted_by_hand() {
        for (text, count) in
            [("", 0), ("one", 1), (" one  two\n", 2), ("sixteen-letters!", 1), ("seventeen-letters", 2)]
        {
            assert_eq!(tokens(text), count, "{text:?}");
        }
    }

    #[test]
    fn a_text_ends_after_so_many_tokens() {
        for (text, most, end) in [
            ("one two three", 2, Some("one two")),
            ("one two", 2, None),
            ("one", 0, Some("")),
            ("seventeen-letters", 1, Some("seventeen-letter")),
        ] {
            assert_eq!(end_of_tokens(text, most).map(|end| &text[..end]), end, "{text}");
        }
    }

    #[test]
    fn a_piece_is_a_word_with_the_space_after_it() {
        let text = "{\"city\":\"sandbox city\"} and an-uncommonly-long-word";
        let all: Vec<&str> = pieces(text, None).into_iter().map(|piece| &text[piece]).collect();
        assert_eq!(all, ["{\"city\":\"sandbox ", "city\"} ", "and ", "an-uncommonly-lo", "ng-word"]);
    }

    #[test]
    fn pieces_cover_the_text() {
        let text = "One  two\nthree, vier–fünf–sechs–sieben–acht 日本語 ";
        for wanted in [None, Some(1), Some(2), Some(3), Some(5), Some(1000)] {
            let pieces = pieces(text, wanted);
            let whole: String = pieces.iter().map(|piece| &text[piece.clone()]).collect();
            assert_eq!(whole, text, "{wanted:?}");
            assert!(
                wanted.is_none_or(|wanted| pieces.len() <= wanted as usize)
                    && pieces.iter().all(|piece| !piece.is_empty())
            );
        }
        assert_eq!(pieces(text, Some(3)).len(), 3);
        assert!(pieces("", None).is_empty());
    }
}
