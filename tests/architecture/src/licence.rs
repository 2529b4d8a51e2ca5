//! SPDX licence expressions: whether an allow-list satisfies one.
//!
//! Not a validator of identifiers: a licence that is not on the list is not allowed, whatever it is. INVARIANT: what
//! cannot be read is not allowed. Grammar: SPDX 2.3 annex D, and `/` as cargo's old word for `OR`.

/// Whether the licences in `allowed` satisfy the expression.
pub fn is_satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    reader.any_of() == Some(true) && reader.words.is_empty()
}

struct Reader<'e> {
    words: &'e [&'e str],
    allowed: &'e [String],
}

impl Reader<'_> {
    /// Takes this word if it is next.
    fn takes(&mut self, word: &str) -> bool {
        match self.words {
            [first, rest @ ..] if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn any_of(&mut self) -> Option<bool> {
        let mut verdict = self.all_of()?;
        while self.takes("OR") {
            verdict |= self.all_of()?;
        }
        Some(verdict)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut verdict = self.single()?;
        while self.takes("AND") {
            verdict &= self.single()?;
        }
        Some(verdict)
    }

    fn single(&mut self) -> Option<bool> {
        if self.takes("(") {
            let verdict = self.any_of()?;
            return self.takes(")").then_some(verdict);
        }
        let [name, rest @ ..] = self.words else { return None };
        self.words = rest;
        if self.takes("WITH") {
            let [exception, rest @ ..] = self.words else { return None };
            self.words = rest;
            return Some(self.allowed.contains(&format!("{name} WITH {exception}")));
        }
        Some(self.allowed.iter().any(|licence| licence == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn satisfied(expression: &str) -> bool {
        is_satisfied(expression, &["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(String::from))
    }

    #[test]
    fn one_allowed_alternative_is_enough() {
        assert!(satisfied("GPL-3.0-only OR MIT"));
        assert!(satisfied("Unlicense/MIT"));
    }

    #[test]
    fn every_part_of_a_conjunction_must_be_allowed() {
        assert!(satisfied("ISC AND (GPL-3.0-only OR MIT)"));
        assert!(!satisfied("MIT AND OpenSSL"));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert!(satisfied("MIT OR GPL-3.0-only AND OpenSSL"));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert!(satisfied("Apache-2.0 WITH LLVM-exception"));
        assert!(!satisfied("Apache-2.0"));
    }

    #[test]
    fn what_cannot_be_read_is_not_allowed() {
        for broken in ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "MIT WITH"] {
            assert!(!satisfied(broken), "{broken}");
        }
    }
}
