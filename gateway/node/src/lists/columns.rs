//! The columns that a list may have, under the names people give them.
//!
//! Not here: what stands in a cell. Invariant: a header names at most one column, in Spanish or English,
//! accents, case, particles and underscores aside.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::codes::key;

/// A column of the manifest sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column(usize);

struct Named {
    es: &'static str,
    en: &'static str,
    aliases: &'static [&'static str],
}

macro_rules! columns {
    ($($name:ident = $es:literal, $en:literal, [$($alias:literal),*];)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "only counts the columns")]
        enum Position { $($name),* }
        static NAMES: &[Named] = &[$(Named { es: $es, en: $en, aliases: &[$($alias),*] }),*];
        $(
            #[doc = concat!("`", $es, "`, in English `", $en, "`.")]
            pub const $name: Column = Column(Position::$name as usize);
        )*
        /// Every column, in the template's order.
        pub static ALL: &[Column] = &[$($name),*];
    };
}

columns! {
    GIVEN_NAMES = "nombres", "given_names", ["nombre", "name", "first_name"];
    FIRST_SURNAME = "primer_apellido", "first_surname", ["apellido_paterno", "apellidos", "surname", "last_name"];
    SECOND_SURNAME = "segundo_apellido", "second_surname", ["apellido_materno"];
    NICKNAME = "conocido_como", "nickname", ["apodo", "alias"];
    SEX = "sexo", "sex", ["genero", "gender"];
    BIRTH_DATE = "fecha_nacimiento", "birth_date", ["date_of_birth", "dob", "f_nac", "nacimiento"];
    AGE = "edad", "age", ["anos"];
    AGE_ESTIMATED = "edad_estimada", "age_estimated", [];
    NATIONALITY = "nacionalidad", "nationality", ["nacionalidades", "nationalities"];
    BIRTH_COUNTRY = "pais_nacimiento", "birth_country", [];
    BIRTH_AREA = "lugar_nacimiento", "birth_area", ["place_of_birth", "municipio_nacimiento"];
    NUMBER_KIND = "tipo_numero", "number_kind", ["tipo_identidad"];
    NUMBER = "numero_identidad", "number", ["cui", "dni", "identity_number"];
    NUMBER_COUNTRY = "pais_numero", "number_country", [];
    FILE = "expediente", "file", ["numero_expediente", "file_number"];
    TRAVEL_KIND = "documento_viaje", "travel_document", ["tipo_documento_viaje"];
    TRAVEL_NUMBER = "numero_documento_viaje", "travel_document_number", [];
    TRAVEL_COUNTRY = "pais_documento_viaje", "travel_document_country", [];
    TRAVEL_EXPIRES = "vence_documento_viaje", "travel_document_expires", [];
    SEAT = "asiento", "seat", [];
    ESCORT = "escolta", "escort", ["acompanante_oficial"];
    NEEDS = "necesidades", "needs", [];
    SPECIALISED = "recepcion_especializada", "specialised_reception", [];
    LANGUAGES = "idiomas", "languages", ["idioma", "lengua", "language"];
    INTERPRETER = "interprete", "interpreter_needed", ["interpreter"];
    READS = "entiende_escrito", "understands_written", ["sabe_leer"];
    FAMILY = "grupo_familiar", "family_group", ["familia", "family"];
    RELATION = "parentesco", "relation", [];
    PROTECTION = "proteccion", "protection", [];
    RISK_COUNTRIES = "paises_riesgo", "risk_countries", [];
    RESIDENCE = "residencia_habitual", "residence", [];
    UNACCOMPANIED = "no_acompanado", "unaccompanied", ["no_acompanada"];
    SCREENING_DONE = "evaluacion_hecha", "screening_done", ["tamizaje"];
    AGE_DISPUTED = "edad_en_duda", "age_disputed", [];
    FAMILY_IN_CUSTODY = "familiar_en_custodia", "open_family_link_in_custody", [];
    STATELESS_RISK = "riesgo_apatridia", "stateless_risk", [];
    CHILD_WELFARE = "autoridad_ninez", "child_welfare_recipient", [];
    AGREED_HOURS = "horario_acordado", "agreed_hours", [];
    BEST_INTERESTS = "interes_superior", "bid_positive", [];
    ASYLUM = "asilo", "asylum_status", [];
    CRIMINAL = "antecedentes", "criminal_record", [];
    HISTORY = "historial_migratorio", "migration_history", [];
    PHONE = "telefono", "phone", ["contacto", "contact"];
    RELIGION = "religion", "belief", [];
    ORDINAL = "no.", "no", ["num", "numero", "renglon", "row"];
}

/// Columns without which a sheet is not a list of people.
pub const REQUIRED: [Column; 4] = [GIVEN_NAMES, FIRST_SURNAME, SEX, NATIONALITY];

/// Columns that no list may carry across a border; they are read so that policy strips them in the open.
pub const STRIPPED: [(Column, &str); 5] = [
    (ASYLUM, "asylum.status"),
    (CRIMINAL, "criminal.record"),
    (HISTORY, "migration.history"),
    (PHONE, "contact"),
    (RELIGION, "belief.opinion"),
];

/// Yes-or-no columns that state a fact for policy, and the fact's code; they never leave the node.
pub const FLAGS: [(Column, &str); 8] = [
    (UNACCOMPANIED, "unaccompanied"),
    (SCREENING_DONE, "screening_done"),
    (AGE_DISPUTED, "age_disputed"),
    (FAMILY_IN_CUSTODY, "open_family_link_in_custody"),
    (STATELESS_RISK, "stateless_risk"),
    (CHILD_WELFARE, "child_welfare_recipient"),
    (AGREED_HOURS, "agreed_hours"),
    (BEST_INTERESTS, "bid_positive"),
];

/// Every header under which a column is known, folded once.
static BY_HEADER: LazyLock<BTreeMap<String, Column>> = LazyLock::new(|| {
    let headers = |(position, named): (usize, &'static Named)| {
        let all = [named.es, named.en].into_iter().chain(named.aliases.iter().copied());
        all.map(move |header| (key(header), Column(position)))
    };
    NAMES.iter().enumerate().flat_map(headers).collect()
});

impl Column {
    /// The column with this header.
    #[must_use]
    pub fn named(header: &str) -> Option<Self> {
        BY_HEADER.get(&key(header)).copied()
    }

    /// The header in Spanish.
    #[must_use]
    pub fn es(self) -> &'static str {
        NAMES.get(self.0).map_or("", |named| named.es)
    }

    /// The header in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        NAMES.get(self.0).map_or("", |named| named.en)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_names_one_column() {
        let mut seen = BTreeMap::new();
        for column in ALL {
            let named = &NAMES[column.0];
            for header in [named.es, named.en].iter().chain(named.aliases) {
                let before = seen.insert(key(header), *column);
                assert!(before.is_none_or(|other| other == *column), "`{header}` names two columns");
                assert_eq!(Column::named(header), Some(*column), "`{header}`");
            }
        }
    }

    #[test]
    fn accents_case_and_language_do_not_matter() {
        assert_eq!(Column::named("Fecha de Nacimiento"), Some(BIRTH_DATE));
        assert_eq!(Column::named("PARENTESCO "), Some(RELATION));
        assert_eq!(Column::named("Second surname"), Some(SECOND_SURNAME));
        assert_eq!(Column::named("color de ojos"), None);
    }
}
