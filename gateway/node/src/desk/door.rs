//! Who may look at the screens: a code from the terminal lets one in, a session ends by itself.
//!
//! Not here: the officer's key, which acts (`client::Officer`), and the checks of a request's origin (`guard`). INVARIANT: a
//! code lets in once and falls after a few wrong ones; no token, code or form mark is compared in a time that tells
//! how much of it was right, and none is kept after its end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tokio::sync::watch;

use puente_core::envelope::Randomness;
use puente_core::ids::Digest;

use crate::clock::Clock;

use super::page::Said;
use super::words::Language;

/// Signs of a code: no two that a hurried reader takes for each other.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Signs in a code: 40 bits, of which five guesses are nothing.
const CODE_SIGNS: usize = 8;
/// Wrong codes after which there is a new one.
const TRIES: u8 = 5;
/// Sessions at a time: a screen and a tablet of one officer, with room.
const MAX_SESSIONS: usize = 4;
/// A session that nobody uses ends.
const IDLE_MS: i64 = 15 * 60_000;
/// A session ends, used or not: a shift.
const WHOLE_MS: i64 = 12 * 60 * 60_000;
/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

struct Session {
    /// Digest of the token, so that the token itself is nowhere in memory.
    token: Digest,
    mark: String,
    language: Language,
    began_ms: i64,
    seen_ms: i64,
    /// What the next page says first.
    said: Option<Said>,
}

impl Session {
    fn stands(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.seen_ms) < IDLE_MS && now_ms.saturating_sub(self.began_ms) < WHOLE_MS
    }
}

struct Inside {
    code: String,
    tries_left: u8,
    sessions: VecDeque<Session>,
}

/// What a page knows of its session.
#[derive(Clone)]
pub(super) struct Visit {
    /// The officer's language.
    pub(super) language: Language,
    /// What every form of this session carries.
    pub(super) mark: String,
    session: Digest,
}

impl Visit {
    /// Whether a form carries this session's mark.
    pub(super) fn marked(&self, mark: &str) -> bool {
        verify_slices_are_equal(self.mark.as_bytes(), mark.as_bytes()).is_ok()
    }
}

/// What a request does to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A person did something.
    ByPerson,
    /// The page looked by itself: nobody may be there.
    ByPage,
}

/// The door of one desk.
pub(super) struct Door {
    random: Arc<dyn Randomness>,
    clock: Arc<dyn Clock>,
    codes: watch::Sender<String>,
    inside: Mutex<Inside>,
}

impl Door {
    /// A closed door, and where its codes are told, the present one first.
    pub(super) fn new(random: Arc<dyn Randomness>, clock: Arc<dyn Clock>) -> (Self, watch::Receiver<String>) {
        let code = code(random.as_ref());
        let (codes, told) = watch::channel(shown(&code));
        let inside = Inside { code, tries_left: TRIES, sessions: VecDeque::new() };
        (Self { random, clock, codes, inside: Mutex::new(inside) }, told)
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.clock.now_ms();
        inside.sessions.retain(|session| session.stands(now_ms));
        inside
    }

    fn change_code(&self, inside: &mut Inside) {
        inside.code = code(self.random.as_ref());
        inside.tries_left = TRIES;
        self.codes.send_replace(shown(&inside.code));
    }

    /// Lets in whoever types the code; answers the token of a new session. The code is then spent.
    pub(super) fn enter(&self, typed: &str, language: Language) -> Option<String> {
        let typed: Vec<u8> = typed
            .bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|sign| sign.to_ascii_uppercase())
            .take(CODE_SIGNS + 1)
            .collect();
        let mut inside = self.inside();
        if verify_slices_are_equal(&typed, inside.code.as_bytes()).is_err() {
            inside.tries_left = inside.tries_left.saturating_sub(1);
            if inside.tries_left == 0 {
                self.change_code(&mut inside);
            }
            return None;
        }
        self.change_code(&mut inside);
        let (token, now_ms) = (self.token(), self.clock.now_ms());
        if inside.sessions.len() == MAX_SESSIONS {
            inside.sessions.pop_front();
        }
        inside.sessions.push_back(Session {
            token: Digest::of(token.as_bytes()),
            mark: self.token(),
            language,
            began_ms: now_ms,
            seen_ms: now_ms,
            said: None,
        });
        Some(token)
    }

    /// The session of this token, while it stands; a language changes it.
    pub(super) fn visit(&self, token: &str, used: Use, language: Option<Language>) -> Option<Visit> {
        let (token, now_ms) = (Digest::of(token.as_bytes()), self.clock.now_ms());
        let mut inside = self.inside();
        let session = inside.sessions.iter_mut().find(|session| session.token == token)?;
        if used == Use::ByPerson {
            session.seen_ms = now_ms;
        }
        session.language = language.unwrap_or(session.language);
        Some(Visit { language: session.language, mark: session.mark.clone(), session: token })
    }

    /// Lets the next page of this visit say something first.
    pub(super) fn tell(&self, visit: &Visit, said: Said) {
        let mut inside = self.inside();
        if let Some(session) = inside.sessions.iter_mut().find(|session| session.token == visit.session) {
            session.said = Some(said);
        }
    }

    /// What this page of the visit says first; once.
    pub(super) fn told(&self, visit: &Visit) -> Option<Said> {
        let mut inside = self.inside();
        inside.sessions.iter_mut().find(|session| session.token == visit.session)?.said.take()
    }

    /// Ends this visit.
    pub(super) fn leave(&self, visit: &Visit) {
        self.inside().sessions.retain(|session| session.token != visit.session);
    }

    fn token(&self) -> String {
        let mut bytes = [0; TOKEN_BYTES];
        self.random.fill(&mut bytes);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn code(random: &dyn Randomness) -> String {
    let mut bytes = [0; CODE_SIGNS];
    random.fill(&mut bytes);
    let sign = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    bytes.iter().map(sign).collect()
}

/// A code as a person reads it: in two halves.
fn shown(code: &str) -> String {
    match code.split_at_checked(CODE_SIGNS / 2) {
        Some((first, second)) => format!("{first}-{second}"),
        None => code.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::keys::SystemRandom;

    struct Case {
        door: Door,
        clock: Arc<ManualClock>,
        codes: watch::Receiver<String>,
    }

    fn case() -> Case {
        let clock = Arc::new(ManualClock::at(1_000_000));
        let (door, codes) = Door::new(Arc::new(SystemRandom), Arc::clone(&clock) as Arc<dyn Clock>);
        Case { door, clock, codes }
    }

    impl Case {
        fn code(&self) -> String {
            self.codes.borrow().clone()
        }

        fn enter(&self) -> String {
            self.door.enter(&self.code().to_lowercase(), Language::Es).unwrap()
        }

        fn stands(&self, token: &str, used: Use) -> bool {
            self.door.visit(token, used, None).is_some()
        }
    }

    #[test]
    fn a_code_lets_in_once() {
        let case = case();
        let code = case.code();
        assert!(case.door.enter(&code, Language::Es).is_some());
        assert!(case.door.enter(&code, Language::Es).is_none());
        assert_ne!(case.code(), code);
    }

    #[test]
    fn a_code_falls_after_five_wrong_ones() {
        let case = case();
        let code = case.code();
        for _ in 0..5 {
            assert!(case.door.enter("AAAA-AAAA-A", Language::Es).is_none());
        }
        assert!(case.door.enter(&code, Language::Es).is_none());
        assert!(case.door.enter(&case.code(), Language::Es).is_some());
    }

    #[test]
    fn a_session_that_only_the_page_uses_ends_after_a_quarter_of_an_hour() {
        let case = case();
        let token = case.enter();
        case.clock.advance_ms(10 * 60_000);
        assert!(case.stands(&token, Use::ByPage));
        case.clock.advance_ms(5 * 60_000);
        assert!(!case.stands(&token, Use::ByPage));
    }

    #[test]
    fn a_session_in_use_ends_with_the_shift() {
        let case = case();
        let token = case.enter();
        for _ in 0..(12 * 6 - 1) {
            case.clock.advance_ms(10 * 60_000);
            assert!(case.stands(&token, Use::ByPerson));
        }
        case.clock.advance_ms(10 * 60_000);
        assert!(!case.stands(&token, Use::ByPerson));
    }

    #[test]
    fn who_leaves_is_out_and_another_form_is_not_of_this_session() {
        let case = case();
        let (one, other) = (case.enter(), case.enter());
        let marks = [&one, &other].map(|token| case.door.visit(token, Use::ByPerson, None).unwrap());
        assert!(marks[0].marked(&marks[0].mark) && !marks[0].marked(&marks[1].mark) && !marks[0].marked(""));
        case.door.leave(&marks[0]);
        assert!(!case.stands(&one, Use::ByPerson) && case.stands(&other, Use::ByPerson));
    }

    #[test]
    fn there_are_four_sessions_and_a_fifth_ends_the_first() {
        let case = case();
        let tokens: Vec<_> = (0..5).map(|_| case.enter()).collect();
        let stand: Vec<_> = tokens.iter().map(|token| case.stands(token, Use::ByPage)).collect();
        assert_eq!(stand, [false, true, true, true, true]);
    }
}
