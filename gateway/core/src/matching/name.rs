//! Names folded for comparison: case, diacritics, particles, abbreviations and machine-readable forms set aside.
//!
//! Not here: names for showing, which stay as people wrote them. Invariant: folding is total and idempotent.
//! Transliteration after ICAO 9303 part 3, section 6.

/// Words that people add, drop and move without being another person.
const PARTICLES: [&str; 9] = ["DE", "DEL", "LA", "LAS", "LOS", "EL", "Y", "DA", "VDA"];

/// Given names as clerks of the region abbreviate them.
const ABBREVIATIONS: [(&str, &str); 6] = [
    ("MA", "MARIA"),
    ("FCO", "FRANCISCO"),
    ("GPE", "GUADALUPE"),
    ("JN", "JUAN"),
    ("ANT", "ANTONIO"),
    ("STA", "SANTA"),
];

/// Words kept per name: more are not names, and the rest of the work is by pairs of words.
const MAX_WORDS: usize = 8;

/// The significant words of a name in A-Z, particles set aside; a name of particles alone keeps them.
#[must_use]
pub fn fold(name: &str) -> Vec<String> {
    let mut ascii = String::with_capacity(name.len());
    for c in name.chars() {
        fold_char(c, &mut ascii);
    }
    let all = || ascii.split_ascii_whitespace().take(MAX_WORDS).map(from_mrz);
    let significant: Vec<String> = all().filter(|word| !PARTICLES.contains(&word.as_str())).collect();
    if significant.is_empty() { all().collect() } else { significant }
}

/// One character as A-Z, a separating space, or nothing.
fn fold_char(c: char, out: &mut String) {
    match c {
        // Combining marks, apostrophes of Mayan names and abbreviation signs leave no trace.
        '\u{300}'..='\u{36F}' | '\'' | '\u{2019}' | '\u{2BC}' | '\u{B4}' | '`' | 'ª' | 'º' => {}
        'a'..='z' | 'A'..='Z' => out.push(c.to_ascii_uppercase()),
        'À'..='Å' | 'à'..='å' | 'Ā' | 'ā' | 'Ă' | 'ă' => out.push('A'),
        'Æ' | 'æ' => out.push_str("AE"),
        'Ç' | 'ç' | 'Ć' | 'ć' | 'Č' | 'č' => out.push('C'),
        'Ð' | 'ð' => out.push('D'),
        'È'..='Ë' | 'è'..='ë' | 'Ē' | 'ē' => out.push('E'),
        'Ì'..='Ï' | 'ì'..='ï' | 'Ī' | 'ī' => out.push('I'),
        'Ñ' | 'ñ' => out.push('N'),
        'Ò'..='Ö' | 'ò'..='ö' | 'Ø' | 'ø' | 'Ō' | 'ō' => out.push('O'),
        'Š' | 'š' => out.push('S'),
        'ß' => out.push_str("SS"),
        'Ù'..='Ü' | 'ù'..='ü' | 'Ū' | 'ū' | 'Ʉ' | 'ʉ' => out.push('U'),
        'Ý' | 'ý' | 'ÿ' | 'Ÿ' => out.push('Y'),
        'Ž' | 'ž' => out.push('Z'),
        _ => out.push(' '),
    }
}

/// Undoes the longer transliterations of the machine-readable zone: Ñ as NXX, Ü as UXX, GÜE and GÜI as GUEE, GUEI.
fn from_mrz(word: &str) -> String {
    word.replace("NXX", "N").replace("UXX", "U").replace("GUEE", "GUE").replace("GUEI", "GUI")
}

/// The word as it sounds in the Spanish of the region (seseo, yeísmo, silent H): a key, not a spelling.
fn sound(word: &str) -> String {
    let mut key = String::with_capacity(word.len());
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let heard = match (letter, next) {
            ('H', _) => continue,
            ('Z', _) | ('C', Some('E' | 'I')) => 'S',
            ('C', Some('H')) => 'X',
            ('C' | 'Q', _) => 'K',
            ('V', _) => 'B',
            ('L', Some('L')) => 'Y',
            ('G', Some('E' | 'I')) => 'J',
            ('U', Some('E' | 'I')) if key.ends_with('K') => continue,
            (other, _) => other,
        };
        if !key.ends_with(heard) {
            key.push(heard);
        }
        if heard == 'Y' && letter == 'L' {
            letters.next();
        }
    }
    key
}

/// How two sets of given names agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenAgreement {
    /// The same words in any order.
    Same,
    /// The words of the shorter all occur in the longer, some of them perhaps as initials.
    Shortened,
    /// They sound the same.
    Sound,
}

/// The words of somebody's given names.
pub(crate) struct Given {
    words: Vec<String>,
    sounds: Vec<String>,
}

impl Given {
    pub(crate) fn parse(text: &str) -> Self {
        let mut words: Vec<String> = fold(text).into_iter().map(spelt_out).collect();
        words.sort_unstable();
        let sounds = words.iter().map(|word| sound(word)).collect();
        Self { words, sounds }
    }

    pub(crate) fn sounds(&self) -> &[String] {
        &self.sounds
    }

    pub(super) fn initials(&self) -> impl Iterator<Item = char> + '_ {
        self.sounds.iter().filter_map(|word| word.chars().next())
    }

    pub(super) fn agreement(&self, other: &Self) -> Option<GivenAgreement> {
        if self.words.is_empty() || other.words.is_empty() {
            return None;
        }
        if self.words == other.words {
            return Some(GivenAgreement::Same);
        }
        if same_multiset(&self.sounds, &other.sounds) {
            return Some(GivenAgreement::Sound);
        }
        let (shorter, longer) =
            if self.words.len() <= other.words.len() { (self, other) } else { (other, self) };
        let mut whole = false;
        let mut free: Vec<&String> = longer.sounds.iter().collect();
        for word in &shorter.sounds {
            let at = free.iter().position(|candidate| *candidate == word || initial_of(word, candidate))?;
            whole |= free.remove(at) == word;
        }
        whole.then_some(GivenAgreement::Shortened)
    }
}

fn initial_of(one: &str, other: &str) -> bool {
    (one.len() == 1 && other.starts_with(one)) || (other.len() == 1 && one.starts_with(other))
}

fn spelt_out(word: String) -> String {
    let full = ABBREVIATIONS.iter().find(|(short, _)| *short == word);
    full.map_or(word, |(_, long)| (*long).to_owned())
}

fn same_multiset(one: &[String], other: &[String]) -> bool {
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort_unstable();
        words
    };
    one.len() == other.len() && sorted(one) == sorted(other)
}

/// How two pairs of surnames agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SurnameAgreement {
    /// The same in the same order.
    Same,
    /// The same in the other order.
    Swapped,
    /// One lacks the second surname.
    SecondMissing,
    /// They sound the same in the same order.
    Sound,
}

/// The words of somebody's surnames, in order: first surname, then second, wherever the sheet put them.
pub struct Surnames {
    words: Vec<String>,
    sounds: Vec<String>,
}

impl Surnames {
    /// Folds both surnames; both may stand in the first.
    #[must_use]
    pub fn parse(first: &str, second: &str) -> Self {
        let mut words = fold(first);
        words.extend(fold(second));
        let sounds = words.iter().map(|word| sound(word)).collect();
        Self { words, sounds }
    }

    pub(crate) fn sounds(&self) -> &[String] {
        &self.sounds
    }

    pub(super) fn agreement(&self, other: &Self) -> Option<SurnameAgreement> {
        if self.words.is_empty() || other.words.is_empty() {
            return None;
        }
        if self.words == other.words {
            return Some(SurnameAgreement::Same);
        }
        if self.sounds == other.sounds {
            return Some(SurnameAgreement::Sound);
        }
        if same_multiset(&self.sounds, &other.sounds) {
            return Some(SurnameAgreement::Swapped);
        }
        let prefix = self.sounds.starts_with(&other.sounds) || other.sounds.starts_with(&self.sounds);
        prefix.then_some(SurnameAgreement::SecondMissing)
    }
}

/// Whether the words of both whole names are the same, however the sheet divided them.
pub(super) fn same_words(
    given: &Given,
    surnames: &Surnames,
    other_given: &Given,
    other_surnames: &Surnames,
) -> bool {
    let one = [given.sounds.as_slice(), surnames.sounds.as_slice()].concat();
    let two = [other_given.sounds.as_slice(), other_surnames.sounds.as_slice()].concat();
    one.len() > 1 && same_multiset(&one, &two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diacritics_case_particles_and_apostrophes_leave_no_trace() {
        assert_eq!(fold("María de los Ángeles"), ["MARIA", "ANGELES"]);
        assert_eq!(fold("  peña-NIETO "), ["PENA", "NIETO"]);
        assert_eq!(fold("Jose\u{301}"), ["JOSE"]);
        assert_eq!(fold("B’alam"), ["BALAM"]);
        assert_eq!(fold("De la O"), ["O"]);
        assert_eq!(fold("de la"), ["DE", "LA"]);
    }

    #[test]
    fn the_machine_readable_forms_of_a_name_fold_to_the_same() {
        assert_eq!(fold("NUNXXEZ"), fold("Núñez"));
        assert_eq!(fold("AGUEERO"), fold("Agüero"));
        assert_eq!(fold("TZOC<CAAL"), fold("Tzoc Caal"));
    }

    #[test]
    fn spellings_that_sound_alike_share_a_key() {
        for (one, other) in [("GONZALEZ", "GONSALES"), ("HERNANDEZ", "ERNANDES"), ("CHAVEZ", "CHABES")] {
            assert_eq!(sound(one), sound(other));
        }
        assert_ne!(sound("TZOC"), sound("TZUL"));
    }
}
