//! One row of a sheet as a submission, or the cells that are at fault.
//!
//! Not here: the grid and the order of columns. Invariants: every fault of a row is reported at once; a fact that the
//! sheet does not state is unknown; the number of the row is never in a section, so that the other side cannot see
//! that a row was held back (PROTOCOL.md, "What must not show").

use std::collections::BTreeMap;

use jiff::civil::Date;
use puente_core::ids::{Category, CountryCode};
use puente_core::personal::Personal;
use puente_core::problem::{self, Kind};
use serde_json::{Map, Value, json};

use super::columns::{self as col, Column};
use super::grid::{Cell, GridRow};
use super::import::{CellProblem, Layout, OperationDefaults};
use super::submission::{LegalBasis, Protection, Recipient, Stated, Subject, SubjectKind, SubmissionRow};
use super::value::{self, Unfit};

/// The age at which a person is no longer a child (Convention on the Rights of the Child, article 1).
const OF_AGE: u8 = 18;

/// Reads one row.
///
/// # Errors
/// Every cell at fault, in the sheet's order of discovery.
pub fn read(
    row: &GridRow,
    layout: &Layout,
    defaults: &OperationDefaults,
) -> Result<SubmissionRow, Vec<CellProblem>> {
    let mut reader = RowReader { row, layout, defaults, problems: Vec::new() };
    reader.whole();
    let submission = reader.submission();
    match submission {
        Some(submission) if reader.problems.is_empty() => Ok(submission),
        _ => Err(reader.problems),
    }
}

struct RowReader<'a> {
    row: &'a GridRow,
    layout: &'a Layout,
    defaults: &'a OperationDefaults,
    problems: Vec<CellProblem>,
}

/// Birth and age as the row states them.
struct Age {
    born: Option<Date>,
    stated: Option<u8>,
    reckoned: Option<u8>,
}

impl RowReader<'_> {
    fn submission(&mut self) -> Option<SubmissionRow> {
        let age = self.age();
        let nationalities = self.countries(col::NATIONALITY);
        if nationalities.is_empty() && self.text(col::NATIONALITY).is_none() {
            self.missing(col::NATIONALITY);
        }
        let subject = self.subject(&age, &nationalities);
        let mut sections = BTreeMap::new();
        self.put(&mut sections, "id.core", |row| row.id_core(&age, &nationalities));
        self.put(&mut sections, "id.numbers", Self::id_numbers);
        self.put(&mut sections, "doc.travel", Self::doc_travel);
        self.put(&mut sections, "return.logistics", |row| Some(row.logistics()));
        self.put(&mut sections, "needs.services", Self::needs);
        self.put(&mut sections, "protection.flag", Self::protection_flag);
        self.put(&mut sections, "language", Self::language);
        let child = subject.as_ref().filter(|subject| subject.kind == SubjectKind::Child);
        let unaccompanied = child.and_then(|subject| subject.flags.get("unaccompanied")).copied();
        self.put(&mut sections, "family.links", |row| row.family(unaccompanied));
        for (column, category) in col::STRIPPED {
            self.put(&mut sections, category, |row| Some(json!({ "note": row.text(column)? })));
        }
        let subject = subject?;
        let defaults = self.defaults;
        Some(SubmissionRow {
            row: self.row.number,
            message_type: defaults.message_type.clone(),
            recipient: Recipient {
                country: defaults.destination.clone(),
                role: role_for(&subject).parse().ok()?,
            },
            purpose: defaults.purpose.clone(),
            legal_basis: LegalBasis { kind: "legal_obligation", agreement: defaults.agreement.clone() },
            subject_id: self.text(col::FILE).map(Personal::new),
            subject: Personal::new(subject),
            sections,
        })
    }

    fn put(
        &mut self,
        sections: &mut BTreeMap<Category, Personal<Value>>,
        category: &str,
        section: impl FnOnce(&mut Self) -> Option<Value>,
    ) {
        if let (Some(section), Ok(category)) = (section(self), category.parse()) {
            sections.insert(category, Personal::new(section));
        }
    }

    fn subject(&mut self, age: &Age, nationalities: &[CountryCode]) -> Option<Subject> {
        let mut flags: BTreeMap<&'static str, Stated> =
            col::FLAGS.into_iter().map(|(column, code)| (code, self.stated(column))).collect();
        let contradiction = age.born.is_some()
            && age.stated.zip(age.reckoned).is_some_and(|(said, reckoned)| said.abs_diff(reckoned) > 1);
        if contradiction {
            // Two ages on one row are a doubt, whatever the column says.
            flags.insert("age_disputed", Stated::Yes);
        }
        let kind = match age.reckoned {
            Some(years) if years < OF_AGE => SubjectKind::Child,
            Some(_) => SubjectKind::Adult,
            None => SubjectKind::Unknown,
        };
        let protection = self.parsed(col::PROTECTION, value::protection).unwrap_or(Protection::Unknown);
        let stated = self.text(col::RISK_COUNTRIES).is_some();
        let risk_countries = stated.then(|| self.risk_countries());
        let (nationality, others) = nationalities.split_first()?;
        let residence = self.country(col::RESIDENCE);
        Some(Subject {
            kind,
            age: age.reckoned,
            nationality: nationality.clone(),
            other_nationalities: others.to_vec(),
            residence,
            risk_countries,
            protection,
            flags,
        })
    }

    fn age(&mut self) -> Age {
        let today = self.defaults.eta.date();
        let born = self.date(col::BIRTH_DATE);
        if born.is_some_and(|born| born > today || born.year() < 1900) {
            self.refuse(
                col::BIRTH_DATE,
                &problem::FIELD_INVALID,
                "La fecha de nacimiento es futura o anterior a 1900. Corríjala.",
                "The date of birth is in the future or before 1900. Mend it.",
            );
        }
        let stated = self.parsed(col::AGE, value::age);
        let reckoned = born.map_or(stated, |born| years_between(born, today));
        Age { born, stated, reckoned }
    }

    fn id_core(&mut self, age: &Age, nationalities: &[CountryCode]) -> Option<Value> {
        let mut section = Map::new();
        let given_names = self.required(col::GIVEN_NAMES, value::text);
        let first_surname = self.required(col::FIRST_SURNAME, value::text);
        let sex = self.required(col::SEX, value::sex);
        set(&mut section, "given_names", given_names);
        set(&mut section, "first_surname", first_surname);
        set(&mut section, "second_surname", self.text(col::SECOND_SURNAME));
        set(&mut section, "nickname", self.text(col::NICKNAME));
        set(&mut section, "sex", sex);
        set(&mut section, "birth_date", age.born.map(|born| born.to_string()));
        if age.born.is_none() {
            set(&mut section, "age", age.stated);
            let estimated = self.yes_or_no(col::AGE_ESTIMATED).filter(|_| age.stated.is_some());
            set(&mut section, "age_estimated", estimated);
        }
        set(&mut section, "nationalities", Some(json!(nationalities)));
        if let Some(country) = self.country(col::BIRTH_COUNTRY) {
            let mut place = Map::new();
            set(&mut place, "country", Some(country.as_str()));
            set(&mut place, "area", self.text(col::BIRTH_AREA));
            section.insert("birth_place".to_owned(), Value::Object(place));
        }
        Some(Value::Object(section))
    }

    fn id_numbers(&mut self) -> Option<Value> {
        let mut numbers = Vec::new();
        if let Some(number) = self.text(col::NUMBER) {
            let stated = self.country(col::NUMBER_COUNTRY);
            if let Some((kind, issuer)) = self.required(col::NUMBER_KIND, value::number_kind) {
                match stated.map(String::from).or(issuer.map(str::to_owned)) {
                    Some(country) => {
                        numbers.push(json!({ "country": country, "kind": kind, "value": number }))
                    }
                    None => self.missing(col::NUMBER_COUNTRY),
                }
            }
        }
        if let Some(file) = self.text(col::FILE) {
            numbers.push(json!({ "country": self.defaults.sender, "kind": "file", "value": file }));
        }
        (!numbers.is_empty()).then(|| json!({ "numbers": numbers }))
    }

    fn doc_travel(&mut self) -> Option<Value> {
        let kind = self.parsed(col::TRAVEL_KIND, value::travel_kind)?;
        let mut section = Map::new();
        set(&mut section, "kind", Some(kind));
        let country = self.country(col::TRAVEL_COUNTRY);
        set(&mut section, "country", country.map(String::from));
        set(&mut section, "number", self.parsed(col::TRAVEL_NUMBER, value::mark));
        let expires = self.date(col::TRAVEL_EXPIRES);
        set(&mut section, "expires", expires.map(|date| date.to_string()));
        Some(Value::Object(section))
    }

    fn logistics(&mut self) -> Value {
        let defaults = self.defaults;
        let mut section = Map::new();
        set(&mut section, "operation", Some(defaults.operation.to_string()));
        set(&mut section, "mode", Some(defaults.mode.as_str()));
        set(&mut section, "origin", Some(defaults.origin.as_str()));
        set(&mut section, "port_of_entry", Some(defaults.port_of_entry.as_str()));
        set(&mut section, "eta", Some(defaults.eta.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()));
        set(&mut section, "zone", defaults.eta.time_zone().iana_name());
        set(&mut section, "vehicle", defaults.vehicle.as_deref());
        set(&mut section, "seat", self.parsed(col::SEAT, value::mark));
        set(
            &mut section,
            "escort",
            self.parsed(col::ESCORT, |cell| value::code(cell, &defaults.codes.escorts)),
        );
        Value::Object(section)
    }

    fn needs(&mut self) -> Option<Value> {
        let codes = self.codes(col::NEEDS, |defaults| &defaults.codes.needs);
        (!codes.is_empty()).then(|| json!({ "codes": codes }))
    }

    fn protection_flag(&mut self) -> Option<Value> {
        Some(json!({ "specialised_reception": self.yes_or_no(col::SPECIALISED)? }))
    }

    fn language(&mut self) -> Option<Value> {
        let languages = self.codes(col::LANGUAGES, |defaults| &defaults.codes.languages);
        let interpreter = self.yes_or_no(col::INTERPRETER);
        let reads = self.yes_or_no(col::READS);
        if languages.is_empty() {
            return None;
        }
        // Nobody said: an interpreter too many costs less than one too few.
        let spanish = languages.iter().any(|code| code == "es");
        let mut section = Map::new();
        set(&mut section, "interpreter_needed", Some(interpreter.unwrap_or(!spanish)));
        set(&mut section, "languages", Some(languages));
        set(&mut section, "understands_written", reads);
        Some(Value::Object(section))
    }

    fn family(&mut self, unaccompanied: Option<Stated>) -> Option<Value> {
        let group = self.parsed(col::FAMILY, value::mark)?;
        let mut section = Map::new();
        set(&mut section, "group", Some(group));
        let relations = &self.defaults.codes.relations;
        let relation = self.required(col::RELATION, |cell| value::code(cell, relations));
        set(&mut section, "relation", relation);
        let status = match unaccompanied {
            Some(Stated::Yes) => Some("unaccompanied"),
            Some(Stated::No) => Some("accompanied"),
            Some(Stated::Unknown) | None => None,
        };
        set(&mut section, "child_status", status);
        Some(Value::Object(section))
    }

    /// Faults that a cell has whatever its column: formulas, lengths, broken quotes, a row cut short.
    fn whole(&mut self) {
        if self.row.cells.len() == 1
            && self.layout.columns.len() > 1
            && self.row.cells.first() == Some(&Cell::Broken)
        {
            self.refuse(
                col::GIVEN_NAMES,
                &problem::FIELD_INVALID,
                "Unas comillas abiertas no se cierran en este renglón. Ciérrelas o quítelas.",
                "A quote opened on this row is not closed. Close or remove it.",
            );
            return;
        }
        for (column, position) in &self.layout.columns {
            let (kind, es, en) = match self.row.cells.get(*position) {
                Some(Cell::Formula) => {
                    (&problem::CELL_FORMULA, problem::CELL_FORMULA.es, problem::CELL_FORMULA.en)
                }
                Some(Cell::TooLong) => (
                    &problem::FIELD_INVALID,
                    "La celda pasa de 2000 caracteres. Acórtela.",
                    "The cell is over 2000 characters. Shorten it.",
                ),
                Some(Cell::Broken) => (
                    &problem::FIELD_INVALID,
                    "La celda no se puede leer. Escríbala de nuevo.",
                    "The cell cannot be read. Write it again.",
                ),
                None if self.layout.short_rows_are_cut => (
                    &problem::FIELD_MISSING,
                    "El renglón termina antes de esta columna: quizá el archivo está cortado. Expórtelo de nuevo.",
                    "The row ends before this column: the file may be cut. Export it again.",
                ),
                _ => continue,
            };
            let found = self.layout.problem(self.row.number, *column, kind, es, en);
            self.problems.push(found);
            if self.row.cells.get(*position).is_none() {
                return;
            }
        }
    }

    fn cell(&self, column: Column) -> Option<&Cell> {
        self.row.cells.get(*self.layout.columns.get(&column)?)
    }

    fn raw(&self, column: Column) -> Option<String> {
        match self.cell(column)? {
            Cell::Text(text) => Some(text.clone()),
            Cell::Date(date) => Some(date.to_string()),
            _ => None,
        }
    }

    fn parsed<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Result<T, Unfit>) -> Option<T> {
        match parse(&self.raw(column)?) {
            Ok(value) => Some(value),
            Err(unfit) => {
                self.refuse(column, unfit.kind, unfit.es, unfit.en);
                None
            }
        }
    }

    fn required<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Result<T, Unfit>) -> Option<T> {
        if matches!(self.cell(column), None | Some(Cell::Blank)) {
            self.missing(column);
        }
        self.parsed(column, parse)
    }

    fn text(&mut self, column: Column) -> Option<String> {
        self.parsed(column, value::text)
    }

    fn date(&mut self, column: Column) -> Option<Date> {
        self.parsed(column, value::date)
    }

    fn stated(&mut self, column: Column) -> Stated {
        self.parsed(column, value::stated).unwrap_or(Stated::Unknown)
    }

    fn yes_or_no(&mut self, column: Column) -> Option<bool> {
        match self.stated(column) {
            Stated::Yes => Some(true),
            Stated::No => Some(false),
            Stated::Unknown => None,
        }
    }

    fn country(&mut self, column: Column) -> Option<CountryCode> {
        let countries = &self.defaults.codes.countries;
        self.parsed(column, |cell| value::country(cell, countries))
    }

    fn countries(&mut self, column: Column) -> Vec<CountryCode> {
        let countries = &self.defaults.codes.countries;
        self.parsed(column, |cell| value::several(cell).map(|part| value::country(part, countries)).collect())
            .unwrap_or_default()
    }

    /// A word for "none" is a stated empty list.
    fn risk_countries(&mut self) -> Vec<CountryCode> {
        match self.text(col::RISK_COUNTRIES) {
            Some(cell) if value::is_none(&cell) => Vec::new(),
            _ => self.countries(col::RISK_COUNTRIES),
        }
    }

    fn codes(
        &mut self,
        column: Column,
        list: fn(&OperationDefaults) -> &super::codes::CodeNames,
    ) -> Vec<String> {
        let list = list(self.defaults);
        self.parsed(column, |cell| value::several(cell).map(|part| value::code(part, list)).collect())
            .unwrap_or_default()
    }

    fn missing(&mut self, column: Column) {
        self.refuse(
            column,
            &problem::FIELD_MISSING,
            "Falta este dato. Complételo.",
            "This value is missing. Fill it.",
        );
    }

    /// Records a fault once per cell: the first one says what to do.
    fn refuse(&mut self, column: Column, kind: &'static Kind, es: &str, en: &str) {
        if !self.problems.iter().any(|problem| problem.column == column.es()) {
            self.problems.push(self.layout.problem(self.row.number, column, kind, es, en));
        }
    }
}

/// A child without a responsible adult goes to child protection, and so does one whose age nobody knows.
fn role_for(subject: &Subject) -> &'static str {
    let alone = subject.flags.get("unaccompanied") == Some(&Stated::Yes);
    if alone && subject.kind != SubjectKind::Adult { "child_protection" } else { "returns_reception" }
}

fn years_between(born: Date, today: Date) -> Option<u8> {
    let before_birthday = (today.month(), today.day()) < (born.month(), born.day());
    u8::try_from(today.year() - born.year() - i16::from(before_birthday)).ok()
}

fn set(section: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        section.insert(name.to_owned(), value.into());
    }
}
