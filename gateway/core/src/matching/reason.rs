//! Why two rows look like one person, in words for the one who decides.
//!
//! Not here: the comparison. Invariant: no text repeats a value of either row.

use serde::{Deserialize, Serialize};

/// One thing that two rows have in common or that keeps them apart; ordered by strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The same identity or travel-document number.
    SameNumber,
    /// The same given names.
    SameGivenNames,
    /// The same surnames in the same order.
    SameSurnames,
    /// The same surnames in the other order.
    SurnamesSwapped,
    /// All the same words, divided otherwise between given names and surnames.
    NamesInOtherOrder,
    /// One given name is missing, abbreviated or an initial.
    GivenNamesShortened,
    /// One row lacks the second surname.
    SecondSurnameMissing,
    /// Names that sound alike and are written differently.
    SimilarSpelling,
    /// The same date of birth.
    SameBirthDate,
    /// The same date of birth with day and month swapped.
    DayAndMonthSwapped,
    /// Ages as near as an estimate allows.
    AgesClose,
    /// One row or both do not state birth well enough to tell.
    BirthUnknown,
    /// The same file number, which families share.
    SameFile,
    /// The sex stated differs.
    SexDiffers,
}

impl Reason {
    /// The reason in Spanish.
    #[must_use]
    pub const fn es(self) -> &'static str {
        match self {
            Self::SameNumber => "El mismo número de identidad o de documento",
            Self::SameGivenNames => "Los mismos nombres",
            Self::SameSurnames => "Los mismos apellidos",
            Self::SurnamesSwapped => "Los mismos apellidos en orden inverso",
            Self::NamesInOtherOrder => {
                "Las mismas palabras, repartidas de otro modo entre nombres y apellidos"
            }
            Self::GivenNamesShortened => "Un nombre falta, está abreviado o es una inicial",
            Self::SecondSurnameMissing => "A un renglón le falta el segundo apellido",
            Self::SimilarSpelling => "Suenan igual y se escriben distinto",
            Self::SameBirthDate => "La misma fecha de nacimiento",
            Self::DayAndMonthSwapped => "La misma fecha con día y mes invertidos",
            Self::AgesClose => "Edades tan cercanas como permite una estimación",
            Self::BirthUnknown => "Falta la fecha de nacimiento o la edad para distinguirlos",
            Self::SameFile => "El mismo expediente, que las familias comparten",
            Self::SexDiffers => "El sexo indicado es distinto",
        }
    }

    /// The reason in English.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::SameNumber => "The same identity or document number",
            Self::SameGivenNames => "The same given names",
            Self::SameSurnames => "The same surnames",
            Self::SurnamesSwapped => "The same surnames in the other order",
            Self::NamesInOtherOrder => "The same words, divided otherwise between given names and surnames",
            Self::GivenNamesShortened => "A given name is missing, abbreviated or an initial",
            Self::SecondSurnameMissing => "One row lacks the second surname",
            Self::SimilarSpelling => "They sound alike and are written differently",
            Self::SameBirthDate => "The same date of birth",
            Self::DayAndMonthSwapped => "The same date with day and month swapped",
            Self::AgesClose => "Ages as near as an estimate allows",
            Self::BirthUnknown => "No date of birth or age to tell them apart",
            Self::SameFile => "The same file number, which families share",
            Self::SexDiffers => "The sex stated differs",
        }
    }

    /// How strongly it speaks for one person; against, below zero.
    const fn weight(self) -> i32 {
        match self {
            Self::SameNumber => 10,
            Self::SameGivenNames | Self::SameSurnames | Self::SameBirthDate => 4,
            Self::SurnamesSwapped | Self::NamesInOtherOrder | Self::DayAndMonthSwapped => 3,
            Self::GivenNamesShortened | Self::SecondSurnameMissing | Self::SimilarSpelling => 2,
            Self::AgesClose | Self::SameFile => 1,
            Self::BirthUnknown => 0,
            Self::SexDiffers => -3,
        }
    }
}

/// How strongly these reasons together speak for one person.
pub(super) fn weight(reasons: &[Reason]) -> i32 {
    reasons.iter().map(|reason| reason.weight()).sum()
}
