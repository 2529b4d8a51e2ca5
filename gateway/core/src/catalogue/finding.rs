//! What is wrong with a section, in words that never repeat the value.
//!
//! Not here: how it was found (`schema`). Invariant: a finding holds a place, a keyword and limits of the
//! schema; member names that the sender invented are not repeated unless they look like field names.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use crate::ids::Category;

/// One thing that is wrong with a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// JSON Pointer into `sections`, such as `/id.core/sex`; for a missing member, where it should be.
    pub pointer: String,
    /// The JSON Schema keyword that was not met, or `category`, `engine`.
    pub keyword: &'static str,
    /// What is wrong, in Spanish.
    pub es: String,
    /// What is wrong, in English.
    pub en: String,
}

/// Options beyond this are not listed: the text is for a person, the schema for a program.
const MAX_OPTIONS: usize = 12;

/// A segment longer than this is not a field name of ours.
const MAX_NAME: usize = 48;

impl Invalid {
    fn new(pointer: String, keyword: &'static str, es: impl Into<String>, en: impl Into<String>) -> Self {
        Self { pointer, keyword, es: es.into(), en: en.into() }
    }

    /// The message type does not carry this category.
    pub(super) fn category(category: &Category) -> Self {
        Self::new(
            format!("/{category}"),
            "category",
            "este tipo de mensaje no lleva esta categoría",
            "this message type does not carry this category",
        )
    }

    /// The engine failed on this section: a refusal, never a pass.
    pub(super) fn engine(category: &Category) -> Self {
        Self::new(
            format!("/{category}"),
            "engine",
            "la sección no se pudo comprobar y por ello no se acepta",
            "the section could not be checked and is therefore not accepted",
        )
    }

    /// What one error of the engine says, as one finding per member at fault.
    pub(super) fn of(
        category: &Category,
        error: &ValidationError<'_>,
        codes_title: CodesTitle<'_>,
    ) -> Vec<Self> {
        let at = pointer(category, error.instance_path().as_str());
        match error.kind() {
            Kind::Required { property } => {
                let place = property.as_str().map_or(at.clone(), |name| format!("{at}/{name}"));
                vec![Self::new(
                    place,
                    "required",
                    "falta este dato obligatorio",
                    "this required field is missing",
                )]
            }
            Kind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .map(|name| {
                    let place = if speakable(name) { format!("{at}/{name}") } else { at.clone() };
                    let (es, en) = ("este campo no se conoce", "this field is not known");
                    Self::new(place, "additionalProperties", es, en)
                })
                .collect(),
            kind => {
                let (keyword, es, en) = words(kind, codes_title);
                vec![Self::new(at, keyword, es, en)]
            }
        }
    }
}

/// The Spanish and English title of a code list, by its name.
pub(super) type CodesTitle<'a> = &'a dyn Fn(&str) -> Option<(String, String)>;

fn speakable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-'))
}

/// The place below the category, cut before the first segment that is not a field name or an index.
fn pointer(category: &Category, path: &str) -> String {
    let mut place = format!("/{category}");
    for segment in path.split('/').skip(1).take_while(|segment| speakable(segment)) {
        place.push('/');
        place.push_str(segment);
    }
    place
}

fn words(kind: &Kind, codes_title: CodesTitle<'_>) -> (&'static str, String, String) {
    let pair = |keyword, es: &str, en: &str| (keyword, es.to_owned(), en.to_owned());
    match kind {
        Kind::Type { .. } => pair("type", "el valor es de otra clase", "the value is of another kind"),
        Kind::Enum { options } => match list(options) {
            Some(list) => ("enum", format!("use uno de: {list}"), format!("use one of: {list}")),
            None => {
                pair("enum", "el valor no es uno de los admitidos", "the value is not one of those admitted")
            }
        },
        Kind::Constant { .. } => {
            pair("const", "el valor no es el único admitido", "the value is not the only one admitted")
        }
        Kind::Format { format } => format_words(format, codes_title),
        Kind::Pattern { .. } => pair(
            "pattern",
            "el texto lleva signos o una forma que no se admiten",
            "the text has characters or a form that are not admitted",
        ),
        Kind::MaxLength { limit } => {
            ("maxLength", format!("pasa de {limit} caracteres"), format!("exceeds {limit} characters"))
        }
        Kind::MinLength { limit } => (
            "minLength",
            format!("lleva menos de {limit} caracteres"),
            format!("has fewer than {limit} characters"),
        ),
        Kind::MaxItems { limit } => {
            ("maxItems", format!("pasa de {limit} elementos"), format!("exceeds {limit} items"))
        }
        Kind::MinItems { limit } => {
            ("minItems", format!("lleva menos de {limit} elementos"), format!("has fewer than {limit} items"))
        }
        Kind::Maximum { limit } => {
            ("maximum", format!("es mayor que {limit}"), format!("is greater than {limit}"))
        }
        Kind::Minimum { limit } => {
            ("minimum", format!("es menor que {limit}"), format!("is less than {limit}"))
        }
        Kind::MaxProperties { limit } => {
            ("maxProperties", format!("pasa de {limit} campos"), format!("exceeds {limit} fields"))
        }
        Kind::UniqueItems => pair("uniqueItems", "lleva un elemento repetido", "repeats an item"),
        Kind::PropertyNames { .. } => {
            pair("propertyNames", "lleva un nombre que no se admite", "has a name that is not admitted")
        }
        _ => pair("schema", "no es de la forma del esquema", "is not of the form of the schema"),
    }
}

fn list(options: &Value) -> Option<String> {
    let options = options.as_array().filter(|options| options.len() <= MAX_OPTIONS)?;
    Some(options.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
}

fn format_words(format: &str, codes_title: CodesTitle<'_>) -> (&'static str, String, String) {
    let (es, en) = match format {
        "date" => ("no es una fecha AAAA-MM-DD".to_owned(), "is not a date YYYY-MM-DD".to_owned()),
        "date-time" => (
            "no es un instante con desfase horario (RFC 3339)".to_owned(),
            "is not an instant with offset (RFC 3339)".to_owned(),
        ),
        "uuid" => ("no es un UUID".to_owned(), "is not a UUID".to_owned()),
        other => match other.strip_prefix("code:").and_then(codes_title) {
            Some((es, en)) => {
                (format!("no es un código de la lista {es}"), format!("is not a code of the list {en}"))
            }
            None => ("no es de la forma esperada".to_owned(), "is not of the expected form".to_owned()),
        },
    };
    ("format", es, en)
}
