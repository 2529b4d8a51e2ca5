//! The OpenAPI 3.1 document of the domestic face, as it is served.
//!
//! Not here: the routes. INVARIANT: the document names exactly the routes and methods of the router, and no code
//! that no problem has; the tests compare them. Lint: `npx @redocly/cli lint gateway/node/src/domestic/openapi.json`.

use axum::response::{IntoResponse as _, Response};
use http::header;

/// The document.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
pub async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::collections::BTreeSet;

    use http_body_util::BodyExt as _;
    use puente_core::delivery::{CloudEvent, Event, EventKind};
    use puente_core::ids::Realm;
    use puente_core::policy::Flag;
    use puente_core::problem::{self, Problem};
    use serde_json::{Value, json};

    use super::*;
    use crate::domestic::submit::{Submission, Verdict};
    use crate::serve::ProblemReply;

    const ROUTER: &str = include_str!("mod.rs");
    const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

    fn parsed() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
        document.pointer(&format!("/components/schemas/{name}")).unwrap_or_else(|| panic!("no schema {name}"))
    }

    fn names(object: &Value) -> BTreeSet<&str> {
        object.as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// Every object of an answer with its parts, following references within the document.
    fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
        part.get("$ref").and_then(Value::as_str).map_or(part, |reference| {
            document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference}"))
        })
    }

    /// Asserts that the value has every property of its schema and no other, all the way down.
    fn assert_whole(document: &Value, of: &Value, value: &Value, at: &str) {
        let of = resolved(document, of);
        match value {
            Value::Object(members) => {
                let Some(properties) = of.get("properties") else { return };
                assert_eq!(names(value), names(properties), "{at}");
                for (name, member) in members {
                    assert_whole(document, &properties[name], member, &format!("{at}/{name}"));
                }
            }
            Value::Array(items) => {
                for item in items {
                    assert_whole(document, &of["items"], item, at);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn the_document_names_the_routes_and_methods_of_the_router_and_no_other() {
        let routed: BTreeSet<(&str, &str)> = ROUTER
            .lines()
            .filter_map(|line| line.trim().strip_prefix(".route(\"")?.split_once('"'))
            .flat_map(|(path, handlers)| {
                let handled = move |method: &&str| handlers.contains(&format!("{method}("));
                METHODS.into_iter().filter(handled).map(move |method| (path, method))
            })
            .collect();
        let document = parsed();
        let documented: BTreeSet<(&str, &str)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| names(item).into_iter().map(move |method| (path.as_str(), method)))
            .collect();
        assert!(routed.len() > 10);
        assert_eq!(documented, routed);
    }

    #[test]
    fn every_code_stands_under_the_status_that_carries_it() {
        let document = parsed();
        let mut seen = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let response = resolved(&document, response);
                    let codes = response
                        .pointer("/content/application~1problem+json/schema/allOf/1/properties/code/enum");
                    for code in codes.and_then(Value::as_array).into_iter().flatten() {
                        let kind =
                            problem::by_code(code.as_str().unwrap()).unwrap_or_else(|| panic!("{code}"));
                        assert_eq!(&kind.status.to_string(), status, "{method} {path} {code}");
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 50);
    }

    #[test]
    fn the_text_of_every_code_is_that_of_its_problem() {
        let document = parsed();
        for listed in schema(&document, "ProblemCode")["oneOf"].as_array().unwrap() {
            let kind = problem::by_code(listed["const"].as_str().unwrap()).unwrap();
            assert_eq!(listed["description"], format!("{} / {}", kind.es, kind.en), "{}", kind.code);
        }
    }

    #[tokio::test]
    async fn a_problem_answers_the_members_of_its_schema() {
        let response = ProblemReply(Problem::new(&problem::NOT_FOUND)).into_response();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let document = parsed();
        let answered: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(names(&answered), names(&schema(&document, "Problem")["properties"]));
    }

    #[test]
    fn the_form_takes_every_property_of_a_submission_and_no_other() {
        let document = parsed();
        let submission = schema(&document, "Submission");
        let example = &submission["examples"][0];
        assert_whole(&document, submission, example, "");
        let read = Submission::from_json(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), *example);
        let mut unknown = example.clone();
        unknown["unknown"] = json!(1);
        assert!(Submission::from_json(unknown).is_err());
    }

    #[test]
    fn a_verdict_has_every_property_of_its_schema_and_no_other() {
        let document = parsed();
        let verdict = schema(&document, "Verdict");
        let example = &verdict["examples"][0];
        assert_whole(&document, verdict, example, "");
        let read: Verdict = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), *example);
    }

    #[test]
    fn an_event_has_every_property_of_its_schema_and_every_kind_is_listed() {
        let document = parsed();
        let kinds = EventKind::ALL.map(|kind| Value::from(format!("puente.{}", kind.as_str())));
        assert_eq!(schema(&document, "Event").pointer("/properties/type/enum"), Some(&json!(kinds)));
        for kind in EventKind::ALL {
            let event = Event {
                kind,
                agency: None,
                role: "returns_reception".parse().unwrap(),
                message: None,
                approval: None,
                message_type: None,
                state: "accepted".to_owned(),
                at_ms: 0,
            };
            let told = CloudEvent::of(Realm::Training, &"GT".parse().unwrap(), 1, event);
            let told = serde_json::to_value(told).unwrap();
            assert_whole(&document, schema(&document, "Event"), &told, "");
        }
        for of in ["Webhook", "WebhookForm"] {
            let listed = schema(&document, of).pointer("/properties/kinds/items/enum");
            assert_eq!(listed, Some(&json!(EventKind::ALL)), "{of}");
        }
    }

    #[test]
    fn the_flags_of_a_subject_are_those_of_the_vocabulary() {
        let document = parsed();
        let listed = schema(&document, "Subject").pointer("/properties/flags/propertyNames/enum").unwrap();
        let codes: Vec<_> = Flag::ALL.iter().map(|flag| flag.code()).collect();
        assert_eq!(*listed, json!(codes));
    }

    #[test]
    fn the_document_is_of_this_version_and_speaks_both_languages() {
        let document = parsed();
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        for (path, item) in document["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                assert!(operation["summary"].as_str().unwrap().contains(" / "), "{path}");
            }
        }
    }
}
