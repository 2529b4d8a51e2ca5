//! One Rust file: where it stands in its crate, which paths it names, and which of its parts are tests.
//!
//! Not a resolver: a path counts as it is written, after `use` groups, `crate`, `self` and `super` are spelled out.
//! INVARIANT: a path named in a `use` group is seen as if it stood alone.

use std::ops::Range;

use crate::token::{Sort, Token, tokens};

/// One path, as segments from its crate, where it is named and whether by a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    pub path: Vec<String>,
    pub line: usize,
    pub in_test: bool,
}

impl Mention {
    /// Whether the path is `root` or something below it, `root` written with `::`.
    pub fn is_under(&self, root: &str) -> bool {
        is_under(&self.path, root)
    }
}

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub file: String,
    /// The text as it is.
    pub text: String,
    /// The module, crate first.
    pub module: Vec<String>,
    /// The text without comments.
    pub tokens: Vec<Token>,
    /// Modules with a file of their own that only tests see.
    pub test_modules: Vec<String>,
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Reads `text` as the file of this module.
    pub fn new(file: String, text: String, module: Vec<String>) -> Self {
        let tokens = tokens(&text);
        let (tests, test_modules) = test_parts(&tokens);
        Self { file, text, module, tokens, test_modules, tests }
    }

    /// Marks the whole file as test code.
    pub fn be_test(&mut self) {
        self.tests.clear();
        self.tests.push(0..self.tokens.len());
    }

    /// Whether the module is `root` or below it.
    pub fn stands_under(&self, root: &str) -> bool {
        is_under(&self.module, root)
    }

    /// Whether the token at this index is test code.
    pub fn is_test(&self, index: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&index))
    }

    /// Every path that the file names, in order.
    pub fn mentions(&self) -> Vec<Mention> {
        let mut found = Vec::new();
        let mut index = 0;
        while let Some(token) = self.tokens.get(index) {
            index = match (token.is("use"), token.sort) {
                (true, _) => self.read_tree(index + 1, &[], &mut found),
                (false, Sort::Word) => self.read_inline(index, &mut found),
                _ => index + 1,
            };
        }
        found
    }

    /// The attributes of this name: the index and tokens inside its parentheses.
    pub fn attributes<'s>(&'s self, name: &'s str) -> impl Iterator<Item = (usize, &'s [Token])> + 's {
        (0..self.tokens.len()).filter_map(move |index| {
            let opens = self.tokens.get(index)?.is(name) && self.tokens.get(index + 1)?.is("(");
            let before = self.tokens.get(index.checked_sub(1)?)?;
            let in_attribute = before.is("[") || before.is(",");
            if !(opens && in_attribute) {
                return None;
            }
            Some((index, self.tokens.get(index + 2..closing(&self.tokens, index + 1))?))
        })
    }

    fn record(&self, path: &[String], index: usize, found: &mut Vec<Mention>) {
        let line = self.tokens.get(index).map_or(0, |token| token.line);
        let in_test = self.is_test(index);
        let whole_file = self.tests.first() == Some(&(0..self.tokens.len()));
        found.push(Mention { path: self.spell_out(path, in_test && !whole_file), line, in_test });
    }

    /// Reads one branch of a `use` tree and returns the index behind it.
    fn read_tree(&self, mut index: usize, prefix: &[String], found: &mut Vec<Mention>) -> usize {
        let mut path = prefix.to_vec();
        while let Some(token) = self.tokens.get(index) {
            match (token.sort, token.text.as_str()) {
                (Sort::Mark, "::") => index += 1,
                (Sort::Mark, "{") => return self.read_group(index + 1, &path, found),
                (Sort::Mark, "*") | (Sort::Word, "as") => break,
                (Sort::Word, word) => {
                    path.push(word.to_owned());
                    index += 1;
                }
                _ => break,
            }
        }
        self.record(&path, index.saturating_sub(1), found);
        while self.tokens.get(index).is_some_and(|token| !(token.is(",") || token.is("}") || token.is(";"))) {
            index += 1;
        }
        index
    }

    fn read_group(&self, mut index: usize, path: &[String], found: &mut Vec<Mention>) -> usize {
        while self.tokens.get(index).is_some_and(|token| !token.is("}")) {
            index = self.read_tree(index, path, found);
            index += usize::from(self.tokens.get(index).is_some_and(|token| token.is(",")));
        }
        index + 1
    }

    fn read_inline(&self, start: usize, found: &mut Vec<Mention>) -> usize {
        let word = |index: usize| self.tokens.get(index).filter(|token| token.sort == Sort::Word);
        let mut path: Vec<String> = word(start).map(|token| token.text.clone()).into_iter().collect();
        let mut index = start + 1;
        while self.tokens.get(index).is_some_and(|token| token.is("::")) {
            let Some(next) = word(index + 1) else { break };
            path.push(next.text.clone());
            index += 2;
        }
        if path.len() > 1 {
            self.record(&path, start, found);
        }
        index
    }

    /// `crate`, `self` and `super` written out; a test module inside the file is one level deeper.
    fn spell_out(&self, path: &[String], inside_test_module: bool) -> Vec<String> {
        let mut base = self.module.clone();
        if inside_test_module {
            base.push("tests".into());
        }
        let mut relative = false;
        let mut rest = path;
        while let [first, tail @ ..] = rest {
            match first.as_str() {
                "crate" => base.truncate(1),
                "super" => drop(base.pop()),
                "self" => {}
                _ => break,
            }
            relative = true;
            rest = tail;
        }
        if relative { [base.as_slice(), rest].concat() } else { rest.to_vec() }
    }
}

fn is_under(path: &[String], root: &str) -> bool {
    let mut path = path.iter();
    root.split("::").all(|segment| path.next().is_some_and(|own| own == segment))
}

/// The index of the bracket that closes the one at `open`, or the end.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|mark| token.is(mark)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|mark| token.is(mark)) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return index;
            }
        }
    }
    tokens.len()
}

/// What stands under `#[cfg(test)]`: ranges of tokens, and names of modules with files of their own.
fn test_parts(tokens: &[Token]) -> (Vec<Range<usize>>, Vec<String>) {
    let (mut ranges, mut modules) = (Vec::new(), Vec::new());
    let opens = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut start = 0;
    while start < tokens.len() {
        let here = tokens.get(start..).unwrap_or_default();
        if here.len() < opens.len() || !here.iter().zip(opens).all(|(token, mark)| token.is(mark)) {
            start += 1;
            continue;
        }
        let mut end = start + opens.len();
        while tokens.get(end).is_some_and(|token| token.is("#")) {
            end = closing(tokens, end + 1) + 1;
        }
        let item = end;
        while tokens.get(end).is_some_and(|token| !(token.is("{") || token.is(";"))) {
            end += 1;
        }
        match tokens.get(end) {
            Some(token) if token.is("{") => end = closing(tokens, end),
            _ => modules.extend(module_name(tokens.get(item..end).unwrap_or_default())),
        }
        ranges.push(start..end + 1);
        start = end + 1;
    }
    (ranges, modules)
}

fn module_name(item: &[Token]) -> Option<String> {
    let at = item.iter().position(|token| token.is("mod"))?;
    item.get(at + 1).map(|token| token.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("x.rs".into(), text.into(), ["puente_node", "domestic"].map(String::from).to_vec())
    }

    fn paths(text: &str) -> Vec<String> {
        source(text).mentions().iter().map(|mention| mention.path.join("::")).collect()
    }

    #[test]
    fn use_groups_are_spelled_out() {
        assert_eq!(
            paths("use crate::{store::{self, Write as W}, federation::*};"),
            ["puente_node::store::self", "puente_node::store::Write", "puente_node::federation"]
        );
    }

    #[test]
    fn paths_in_expressions_are_seen() {
        assert_eq!(
            paths("fn f() { super::federation::peer(std::fs::read) }"),
            ["puente_node::federation::peer", "std::fs::read"]
        );
    }

    #[test]
    fn super_in_a_test_module_is_the_file() {
        let text = "#[cfg(test)]\nmod tests { use super::inbox::Inbox; }\nuse super::federation;";
        assert_eq!(paths(text), ["puente_node::domestic::inbox::Inbox", "puente_node::federation"]);
        assert_eq!(
            source(text).mentions().iter().map(|mention| mention.in_test).collect::<Vec<_>>(),
            [true, false]
        );
    }

    #[test]
    fn test_modules_with_a_file_are_named() {
        assert_eq!(source("#[cfg(test)]\nmod suite;\nmod inbox;").test_modules, ["suite"]);
    }

    #[test]
    fn attributes_are_found_with_what_they_hold() {
        let source = source("#[cfg_attr(x, allow(a))] #[allow(b, reason = \"c\")] fn allow() { allow(d) }");
        let held: Vec<_> = source.attributes("allow").map(|(_, inside)| inside.len()).collect();
        assert_eq!(held, [1, 5]);
    }
}
