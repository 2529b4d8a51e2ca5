//! Rust text cut into words, marks and literals, without comments.
//!
//! Not a parser: enough to see paths, attributes and literals without being fooled by a comment or a string.
//! INVARIANT: total on any text; what it does not understand becomes a mark.

use std::iter::Peekable;
use std::str::Chars;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An identifier, keyword or number.
    Word,
    /// One sign, or `::`.
    Mark,
    /// The content of a string literal, escapes untouched.
    Text,
}

/// One token and the line it begins on, from 1.
#[derive(Debug, Clone)]
pub struct Token {
    pub sort: Sort,
    pub text: String,
    pub line: usize,
}

impl Token {
    /// Whether this is that word or mark.
    pub fn is(&self, text: &str) -> bool {
        self.sort != Sort::Text && self.text == text
    }
}

/// Cuts `text` into tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut cutter = Cutter { rest: text.chars().peekable(), line: 1, tokens: Vec::new() };
    while cutter.step() {}
    cutter.tokens
}

struct Cutter<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
    tokens: Vec<Token>,
}

impl Cutter<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn peek_second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    fn push(&mut self, sort: Sort, text: String, line: usize) {
        self.tokens.push(Token { sort, text, line });
    }

    fn step(&mut self) -> bool {
        let Some(&first) = self.rest.peek() else { return false };
        let line = self.line;
        match (first, self.peek_second()) {
            ('/', Some('/')) => {
                while self.rest.peek().is_some_and(|&sign| sign != '\n') {
                    self.next();
                }
            }
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.quoted(),
            ('\'', second) => self.quote(second),
            (':', Some(':')) => {
                self.next();
                self.next();
                self.push(Sort::Mark, "::".into(), line);
            }
            (sign, _) if sign.is_alphanumeric() || sign == '_' => self.word(),
            (sign, _) => {
                self.next();
                if !sign.is_whitespace() {
                    self.push(Sort::Mark, sign.into(), line);
                }
            }
        }
        true
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(sign) = self.next() {
            match (sign, self.rest.peek()) {
                ('/', Some('*')) => {
                    self.next();
                    depth += 1;
                }
                ('*', Some('/')) => {
                    self.next();
                    depth -= 1;
                }
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn quoted(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.next();
        while let Some(sign) = self.next() {
            match sign {
                '"' => break,
                '\\' => text.extend(self.next().map(|escaped| ['\\', escaped]).into_iter().flatten()),
                _ => text.push(sign),
            }
        }
        self.push(Sort::Text, text, line);
    }

    /// A character literal is passed over; of a lifetime only the quote is.
    fn quote(&mut self, second: Option<char>) {
        self.next();
        if second == Some('\\') {
            self.next();
            self.next();
            while self.next().is_some_and(|sign| sign != '\'') {}
        } else if self.peek_second() == Some('\'') {
            self.next();
            self.next();
        }
    }

    fn word(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while let Some(&sign) = self.rest.peek().filter(|sign| sign.is_alphanumeric() || **sign == '_') {
            text.push(sign);
            self.next();
        }
        match (text.as_str(), self.rest.peek().copied()) {
            ("b" | "c", Some('"')) => self.quoted(),
            ("b", Some('\'')) => self.quote(self.peek_second()),
            ("r" | "br" | "cr", Some('"' | '#')) if self.raw() => {}
            _ => self.push(Sort::Word, text, line),
        }
    }

    /// Reads a raw string, or says that this is a raw identifier after all.
    fn raw(&mut self) -> bool {
        let hashes = self.rest.clone().take_while(|&sign| sign == '#').count();
        if self.rest.clone().nth(hashes) != Some('"') {
            return false;
        }
        let line = self.line;
        for _ in 0..=hashes {
            self.next();
        }
        let end = format!("\"{}", "#".repeat(hashes));
        let mut text = String::new();
        while !text.ends_with(&end) {
            match self.next() {
                Some(sign) => text.push(sign),
                None => break,
            }
        }
        let content = text.strip_suffix(&end).unwrap_or(&text).to_owned();
        self.push(Sort::Text, content, line);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_left_out_even_nested() {
        assert_eq!(words("a /* b /* c */ d */ e // f\ng"), ["a", "e", "g"]);
    }

    #[test]
    fn strings_keep_their_content_and_hide_their_signs() {
        assert_eq!(
            words(r##"f("x // \" y", r#"z " z"#)"##),
            ["f", "(", r#"x // \" y"#, ",", r#"z " z"#, ")"]
        );
    }

    #[test]
    fn lifetimes_and_characters_are_told_apart() {
        assert_eq!(
            words(r"&'a str, '\'', '{', b'x'"),
            ["&", "a", "str", ",", ",", ",", ","].map(String::from)[..6]
        );
    }

    #[test]
    fn lines_are_counted_through_literals() {
        assert_eq!(tokens("\"a\nb\"\nc").last().map(|token| token.line), Some(3));
    }
}
