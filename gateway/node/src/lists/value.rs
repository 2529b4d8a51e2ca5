//! What a cell says: dates, yes or no, sex, countries, lists of codes.
//!
//! Not here: which column it stands in. Invariant: a value is read in one way or refused with what to do instead;
//! no text repeats the value.

use jiff::civil::Date;
use puente_core::ids::CountryCode;
use puente_core::problem::{self, Kind};

use super::codes::{CodeNames, key};
use super::submission::{Protection, Stated};

/// Why a cell cannot be read, and what to do, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Which problem.
    pub kind: &'static Kind,
    /// In Spanish.
    pub es: &'static str,
    /// In English.
    pub en: &'static str,
}

const fn unfit(es: &'static str, en: &'static str) -> Unfit {
    Unfit { kind: &problem::FIELD_INVALID, es, en }
}

/// Text without characters that hide or reorder what people see.
pub fn text(cell: &str) -> Result<String, Unfit> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if cell.contains('\u{FFFD}') {
        return Err(unfit(
            "Hay letras dañadas por la codificación: escríbalas de nuevo o guarde la lista en UTF-8.",
            "Letters are damaged by the encoding: write them again or save the list as UTF-8.",
        ));
    }
    if cell.chars().any(hidden) {
        return Err(unfit(
            "Hay caracteres invisibles o un salto de línea: bórrelos.",
            "There are invisible characters or a line break: remove them.",
        ));
    }
    Ok(cell.to_owned())
}

/// A mark such as a seat, a document number or a family group: A-Z, digits, `<`, `.`, `_` and hyphen, spaces left out.
pub fn mark(cell: &str) -> Result<String, Unfit> {
    let mark: String = cell.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '<' | '.' | '_' | '-');
    if mark.chars().all(allowed) { Ok(mark) } else { Err(MARK) }
}

const MARK: Unfit =
    unfit("Use sólo letras sin acento, cifras y guion.", "Use only plain letters, digits and hyphen.");

/// A date as `1990-04-12` or `12/04/1990`, day first.
pub fn date(cell: &str) -> Result<Date, Unfit> {
    let parts: Vec<&str> = cell.split(['-', '/', '.']).map(str::trim).collect();
    let [first, second, third] = parts.as_slice() else { return Err(DATE_FORM) };
    let (year, month, day) = match (first.len(), third.len()) {
        (4, 1..=2) => (*first, *second, *third),
        (1..=2, 4) => (*third, *second, *first),
        (1..=2, 2) => return Err(DATE_AMBIGUOUS),
        _ => return Err(DATE_FORM),
    };
    let number =
        |text: &str| if text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<i16>().ok() } else { None };
    let (Some(year), Some(month), Some(day)) = (number(year), number(month), number(day)) else {
        return Err(DATE_FORM);
    };
    let small = |number: i16| i8::try_from(number).unwrap_or_default();
    Date::new(year, small(month), small(day))
        .map_err(|_| if month > 12 && day <= 12 { DATE_MONTH_FIRST } else { DATE_IMPOSSIBLE })
}

const DATE_FORM: Unfit = unfit(
    "No es una fecha. Escríbala como AAAA-MM-DD o DD/MM/AAAA.",
    "Not a date. Write it as YYYY-MM-DD or DD/MM/YYYY.",
);
const DATE_AMBIGUOUS: Unfit = unfit(
    "El año de dos cifras es ambiguo. Escriba la fecha como AAAA-MM-DD.",
    "A year of two digits is ambiguous. Write the date as YYYY-MM-DD.",
);
const DATE_MONTH_FIRST: Unfit = unfit(
    "El mes pasa de 12: la fecha parece ir mes primero. Escríbala como AAAA-MM-DD y revise toda la columna.",
    "The month is over 12: the date seems to be month first. Write it as YYYY-MM-DD and check the whole column.",
);
const DATE_IMPOSSIBLE: Unfit = unfit(
    "Esa fecha no existe en el calendario. Corríjala o deje la celda vacía e indique la edad.",
    "That date is not in the calendar. Mend it, or leave the cell blank and state the age.",
);

/// An age in whole years, 0 to 130.
pub fn age(cell: &str) -> Result<u8, Unfit> {
    cell.parse()
        .ok()
        .filter(|age| *age <= 130)
        .ok_or(unfit("La edad es un número entero de 0 a 130.", "The age is a whole number from 0 to 130."))
}

/// Yes or no; anything unsure is a stated unknown.
pub fn stated(cell: &str) -> Result<Stated, Unfit> {
    match key(cell).as_str() {
        "SI" | "S" | "YES" | "X" | "TRUE" | "VERDADERO" | "1" => Ok(Stated::Yes),
        "NO" | "N" | "FALSE" | "FALSO" | "0" => Ok(Stated::No),
        "SE SABE" | "NO SE SABE" | "UNKNOWN" | "DESCONOCIDO" | "SD" | "S D" | "" => Ok(Stated::Unknown),
        _ => Err(unfit(
            "Escriba sí o no, o deje la celda vacía si no se sabe.",
            "Write yes or no, or leave the cell blank if unknown.",
        )),
    }
}

/// F, M or X, also as words.
pub fn sex(cell: &str) -> Result<&'static str, Unfit> {
    match key(cell).as_str() {
        "F" | "FEMENINO" | "MUJER" | "FEMALE" => Ok("F"),
        "M" | "H" | "MASCULINO" | "HOMBRE" | "MALE" => Ok("M"),
        "X" | "NO BINARIO" | "UNSPECIFIED" => Ok("X"),
        _ => Err(unfit("Escriba F, M o X.", "Write F, M or X.")),
    }
}

/// What the screening said.
pub fn protection(cell: &str) -> Result<Protection, Unfit> {
    match key(cell).as_str() {
        "NINGUNA" | "NO EXPRESA" | "NONE" | "NONE EXPRESSED" => Ok(Protection::NoneExpressed),
        "SOLICITA" | "SOLICITADA" | "TEMOR" | "REFUGIO" | "SOUGHT" => Ok(Protection::Sought),
        "CONCLUIDA" | "ENDED" => Ok(Protection::Ended),
        "SIN EVALUAR" | "DESCONOCIDA" | "UNKNOWN" => Ok(Protection::Unknown),
        _ => Err(unfit(
            "Escriba ninguna, solicita, concluida o sin evaluar.",
            "Write none, sought, ended or unknown.",
        )),
    }
}

/// Whether a cell says in words that there is none.
pub fn is_none(cell: &str) -> bool {
    matches!(key(cell).as_str(), "NINGUNO" | "NINGUNA" | "NONE")
}

/// Several values in one cell.
pub fn several(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';', '/', '|']).map(str::trim).filter(|part| !part.is_empty())
}

/// A country by code or name.
pub fn country(cell: &str, countries: &CodeNames) -> Result<CountryCode, Unfit> {
    countries.code(cell).and_then(|code| code.parse().ok()).ok_or(unfit(
        "No se reconoce el país. Use su nombre o su código ISO de dos letras, por ejemplo GT.",
        "The country is not known. Use its name or its two-letter ISO code, such as GT.",
    ))
}

/// A code by itself or by name.
pub fn code(cell: &str, codes: &CodeNames) -> Result<String, Unfit> {
    codes.code(cell).map(str::to_owned).ok_or(unfit(
        "El valor no está en la lista de códigos. Consulte el catálogo.",
        "The value is not in the code list. See the catalogue.",
    ))
}

/// A kind of identity number, and the country that issues it if only one does.
pub fn number_kind(cell: &str) -> Result<(&'static str, Option<&'static str>), Unfit> {
    Ok(match key(cell).as_str() {
        "CURP" => ("curp", Some("MX")),
        "CUI" | "DPI" => ("cui", Some("GT")),
        "DUI" => ("dui", Some("SV")),
        "NIT" => ("nit", Some("SV")),
        "DNI" => ("dni", Some("HN")),
        "CEDULA" => ("cedula", None),
        "DIMEX" => ("dimex", Some("CR")),
        "A NUMBER" => ("a_number", Some("US")),
        "PASAPORTE" | "PASSPORT" => ("passport", None),
        _ => {
            return Err(unfit(
                "Tipo de número desconocido. Use CUI, CURP, DNI, DUI, cédula o pasaporte.",
                "Unknown kind of number. Use CUI, CURP, DNI, DUI, cedula or passport.",
            ));
        }
    })
}

/// A kind of travel document.
pub fn travel_kind(cell: &str) -> Result<&'static str, Unfit> {
    match key(cell).as_str() {
        "PASAPORTE" | "PASSPORT" => Ok("passport"),
        "DOCUMENTO VIAJE" | "SALVOCONDUCTO" | "TRAVEL DOCUMENT" => Ok("travel_document"),
        "CERTIFICADO EMERGENCIA" | "EMERGENCY CERTIFICATE" => Ok("emergency_certificate"),
        "NINGUNO" | "NONE" => Ok("none"),
        _ => Err(unfit(
            "Escriba pasaporte, documento de viaje, certificado de emergencia o ninguno.",
            "Write passport, travel document, emergency certificate or none.",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dates_are_read_day_first_or_iso_and_in_no_other_way() {
        let april: Date = "1990-04-12".parse().unwrap();
        for form in ["1990-04-12", "12/04/1990", "12-4-1990", "12.04.1990"] {
            assert_eq!(date(form), Ok(april), "{form}");
        }
        assert_eq!(date("12/04/90"), Err(DATE_AMBIGUOUS));
        assert_eq!(date("04/23/1990"), Err(DATE_MONTH_FIRST));
        assert_eq!(date("31/02/1990"), Err(DATE_IMPOSSIBLE));
        assert_eq!(date("abril"), Err(DATE_FORM));
        assert_eq!(date("+1/-2/1990"), Err(DATE_FORM));
    }

    #[test]
    fn hidden_and_damaged_characters_are_refused() {
        assert!(text("María\u{202E}").is_err());
        assert!(text("Mar\u{FFFD}a").is_err());
        assert!(text("a\u{8}b").is_err());
        assert_eq!(text("B’alam Ñ"), Ok("B’alam Ñ".to_owned()));
    }
}
