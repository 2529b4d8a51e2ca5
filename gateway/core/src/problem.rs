//! The catalogue of problems: one stable code each, who is at fault, what may be told to whom.
//!
//! The code is the metric label, the log field and the last segment of the RFC 9457 `type`.
//! Invariant: codes are never reused or renamed; texts carry no personal data.

use serde::Serialize;

/// Who has to act to mend the problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The one who asked: mend the request.
    Caller,
    /// The other member's gateway.
    Peer,
    /// This node or its operator.
    Node,
    /// Nobody: a rule says no.
    Policy,
}

/// Whether trying again unchanged can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The same bytes will never be accepted.
    Never,
    /// The same bytes may be accepted later.
    Later,
}

/// One kind of problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// Stable code, `area.what`.
    pub code: &'static str,
    /// HTTP status that carries it (RFC 9110 section 15).
    pub status: u16,
    /// Who has to act.
    pub fault: Fault,
    /// Whether trying again can help.
    pub retry: Retry,
    /// Title and what to do, in Spanish.
    pub es: &'static str,
    /// Title and what to do, in English.
    pub en: &'static str,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $fault:ident, $retry:ident, $es:literal, $en:literal;)*) => {
        $($(#[$doc])* pub static $name: Kind = Kind {
            code: $code, status: $status, fault: Fault::$fault, retry: Retry::$retry, es: $es, en: $en,
        };)*
        /// Every kind of problem there is.
        pub static ALL: &[&Kind] = &[$(&$name),*];
    };
}

problems! {
    /// The body is not the JSON, CSV or other form that was announced.
    BODY_MALFORMED = "body.malformed", 400, Caller, Never,
        "El cuerpo no se puede leer. Revise el formato y el lugar indicado.",
        "The body cannot be read. Check its format at the place given.";
    /// The body is not valid UTF-8.
    BODY_ENCODING = "body.encoding", 400, Caller, Never,
        "El texto no es UTF-8 válido. Envíelo en UTF-8.",
        "The text is not valid UTF-8. Send it as UTF-8.";
    /// A JSON object names one member twice.
    BODY_DUPLICATE_MEMBER = "body.duplicate_member", 400, Caller, Never,
        "Un objeto JSON repite un campo. Déjelo una sola vez.",
        "A JSON object repeats a member. Keep it once.";
    /// The body is larger than the limit.
    BODY_TOO_LARGE = "body.too_large", 413, Caller, Never,
        "El cuerpo excede el límite indicado. Divídalo.",
        "The body exceeds the stated limit. Split it.";
    /// The body stopped arriving.
    BODY_INCOMPLETE = "body.incomplete", 408, Caller, Later,
        "El cuerpo dejó de llegar. Repita el envío; con la misma clave no se duplica.",
        "The body stopped arriving. Send it again; with the same key it has no double effect.";
    /// The media type is not one that this resource takes.
    BODY_MEDIA_TYPE = "body.media_type", 415, Caller, Never,
        "Tipo de contenido no admitido. Use uno de los indicados.",
        "Media type not accepted. Use one of those listed.";
    /// A section does not match its schema.
    SCHEMA_INVALID = "schema.invalid", 422, Caller, Never,
        "Un dato no cumple su esquema. Corrija el campo indicado.",
        "A value does not match its schema. Mend the field named.";
    /// The message type is not in this node's catalogue.
    TYPE_UNKNOWN = "type.unknown", 422, Caller, Never,
        "Tipo de mensaje desconocido en este nodo. Consulte el catálogo.",
        "Message type unknown to this node. See the catalogue.";
    /// The version of the message type is not in this node's catalogue.
    TYPE_VERSION = "type.version", 422, Caller, Never,
        "Versión del tipo de mensaje no admitida. Use una de las del catálogo.",
        "Version of the message type not supported. Use one from the catalogue.";
    /// No member, agency or role answers to this recipient.
    RECIPIENT_UNKNOWN = "recipient.unknown", 422, Caller, Never,
        "No hay tal destinatario en la federación. Revise país, rol y agencia.",
        "No such recipient in the federation. Check country, role and agency.";
    /// A required field is absent.
    FIELD_MISSING = "field.missing", 422, Caller, Never,
        "Falta un dato obligatorio. Complete el campo indicado.",
        "A required value is missing. Fill the field named.";
    /// A field has a value that is not allowed.
    FIELD_INVALID = "field.invalid", 422, Caller, Never,
        "Un dato no es admisible. Corrija el campo indicado.",
        "A value is not allowed. Mend the field named.";
    /// A cell starts like a spreadsheet formula.
    CELL_FORMULA = "cell.formula", 422, Caller, Never,
        "La celda empieza como fórmula de hoja de cálculo. Quite el primer signo.",
        "The cell starts like a spreadsheet formula. Remove the first sign.";
    /// The spreadsheet is not one that can be read within bounds.
    SHEET_UNREADABLE = "sheet.unreadable", 422, Caller, Never,
        "La hoja de cálculo no se puede leer. Guárdela de nuevo como XLSX o CSV.",
        "The spreadsheet cannot be read. Save it again as XLSX or CSV.";
    /// The spreadsheet unpacks to more than the limit.
    SHEET_TOO_LARGE = "sheet.too_large", 422, Caller, Never,
        "La hoja de cálculo se expande más allá del límite. Divídala.",
        "The spreadsheet unpacks beyond the limit. Split it.";
    /// A required column is absent.
    COLUMN_MISSING = "column.missing", 422, Caller, Never,
        "Falta una columna obligatoria. Use la plantilla.",
        "A required column is missing. Use the template.";
    /// The row repeats another row of the same list.
    ROW_DUPLICATE = "row.duplicate", 409, Caller, Never,
        "El renglón repite otro de la misma lista. Confirme cuál vale.",
        "The row repeats another of the same list. Confirm which one stands.";
    /// The idempotency key was used with another body.
    IDEMPOTENCY_MISMATCH = "idempotency.mismatch", 422, Caller, Never,
        "La clave de idempotencia ya se usó con otro cuerpo. Use una clave nueva.",
        "The idempotency key was used with another body. Use a new key.";
    /// The first request with this key is still running.
    IDEMPOTENCY_RUNNING = "idempotency.running", 409, Caller, Later,
        "La primera petición con esta clave sigue en curso. Espere y repita.",
        "The first request with this key is still running. Wait and repeat.";
    /// The client certificate is not known as an active agency or officer.
    CLIENT_UNKNOWN = "client.unknown", 403, Caller, Never,
        "El certificado no corresponde a una agencia activa. Pida el alta al operador.",
        "The certificate is not that of an active agency. Ask the operator to add it.";
    /// The client certificate was revoked.
    CLIENT_REVOKED = "client.revoked", 403, Caller, Never,
        "El certificado fue revocado. Pida uno nuevo al operador.",
        "The certificate was revoked. Ask the operator for a new one.";
    /// The client certificate is outside its validity.
    CLIENT_EXPIRED = "client.expired", 403, Caller, Never,
        "El certificado está fuera de vigencia. Renuévelo.",
        "The certificate is outside its validity. Renew it.";
    /// The caller's role may not do this.
    CLIENT_NOT_ENTITLED = "client.not_entitled", 403, Caller, Never,
        "El rol de esta agencia no permite este acto.",
        "The role of this agency does not allow this act.";
    /// Nothing here, or nothing for this caller: one answer for both.
    NOT_FOUND = "not_found", 404, Caller, Never,
        "No existe, o no es para quien pregunta.",
        "It does not exist, or not for the one who asks.";
    /// The method is not one of this resource's.
    METHOD_NOT_ALLOWED = "method.not_allowed", 405, Caller, Never,
        "Método no admitido para este recurso.",
        "Method not allowed for this resource.";
    /// A rule of policy refuses; the sender's own side learns the rule.
    POLICY_REFUSED = "policy.refused", 403, Policy, Never,
        "Una regla de política lo impide. Vea la regla y su razón.",
        "A policy rule forbids it. See the rule and its reason.";
    /// Neutral refusal toward the other side: no such person, not permitted and no consent are one answer.
    REFUSED = "refused", 403, Policy, Never,
        "El nodo receptor no acepta el mensaje.",
        "The receiving node does not accept the message.";
    /// The statement is not signed by an entitled officer.
    OFFICER_NOT_ENTITLED = "officer.not_entitled", 403, Caller, Never,
        "La declaración no está firmada por una persona oficial facultada.",
        "The statement is not signed by an entitled officer.";
    /// The officer is the submitter, or already decided.
    OFFICER_NOT_DISTINCT = "officer.not_distinct", 403, Caller, Never,
        "Se requieren dos personas distintas, ninguna de ellas quien envió.",
        "Two distinct people are required, neither of them the submitter.";
    /// The officer saw another preview than the one in force.
    PREVIEW_STALE = "approval.preview_stale", 409, Caller, Never,
        "La vista previa cambió. Véala de nuevo y decida.",
        "The preview has changed. See it again and decide.";
    /// Another officer spoke on the approval at the same moment.
    APPROVAL_OVERTAKEN = "approval.overtaken", 409, Caller, Later,
        "Otra persona acaba de pronunciarse sobre este renglón; vuelva a verlo y repita.",
        "Another person has just spoken on this row; look at it again and repeat.";
    /// The approval was already decided or has lapsed.
    APPROVAL_CLOSED = "approval.closed", 409, Caller, Never,
        "La solicitud ya se resolvió o caducó.",
        "The request is already decided or has lapsed.";
    /// An officer's credential was revoked.
    OFFICER_REVOKED = "officer.revoked", 403, Caller, Never,
        "La credencial de la persona oficial fue revocada.",
        "The officer's credential was revoked.";
    /// The wire message is not of the protocol's form.
    ENVELOPE_MALFORMED = "envelope.malformed", 400, Peer, Never,
        "El sobre no tiene la forma del protocolo.",
        "The envelope is not of the protocol's form.";
    /// The signature does not verify under the member's key.
    ENVELOPE_SIGNATURE = "envelope.signature", 403, Peer, Never,
        "La firma no verifica con la clave del miembro.",
        "The signature does not verify under the member's key.";
    /// The envelope names a key that the member's directory does not hold now.
    ENVELOPE_KEY = "envelope.key", 403, Peer, Never,
        "El sobre nombra una clave que el directorio del miembro no tiene vigente.",
        "The envelope names a key that the member's directory does not hold now.";
    /// The members' list or the peer's directory has expired; new lists wait.
    MEMBERSHIP_EXPIRED = "membership.expired", 503, Node, Later,
        "La lista de miembros o el directorio del otro país ha vencido; los envíos nuevos esperan.",
        "The members' list or the other country's directory has expired; new lists wait.";
    /// An agency that signs by itself did not, or another did.
    ENVELOPE_MODE = "envelope.mode", 403, Peer, Never,
        "La dependencia emisora no firma de este modo según el directorio de su país.",
        "The sending agency does not sign in this way, by its country's directory.";
    /// The envelope is of another realm.
    REALM_MISMATCH = "realm.mismatch", 403, Peer, Never,
        "El sobre es de otro ámbito (producción, capacitación o conformidad).",
        "The envelope is of another realm.";
    /// The envelope is addressed to another gateway.
    AUDIENCE_MISMATCH = "envelope.audience", 403, Peer, Never,
        "El sobre va dirigido a otro nodo.",
        "The envelope is addressed to another gateway.";
    /// The country in the certificate is not that of the message.
    COUNTRY_MISMATCH = "country.mismatch", 403, Peer, Never,
        "El país del certificado no es el del mensaje.",
        "The country of the certificate is not that of the message.";
    /// The message is past its expiry.
    MESSAGE_EXPIRED = "message.expired", 410, Peer, Never,
        "El mensaje venció antes de aceptarse.",
        "The message expired before it was accepted.";
    /// The message claims to come from the future beyond the tolerance of two minutes.
    CLOCK_SKEW = "clock.skew", 403, Peer, Later,
        "El reloj del emisor difiere más de dos minutos. Sincronice los relojes.",
        "The sender's clock differs by more than two minutes. Synchronise the clocks.";
    /// Another issuer JWT was already accepted under this message id.
    MESSAGE_CONFLICT = "message.conflict", 409, Peer, Never,
        "Ya se aceptó otro mensaje con el mismo identificador.",
        "Another message was accepted under the same id.";
    /// Another release of the same message is already effective.
    ALREADY_EFFECTIVE = "message.already_effective", 409, Peer, Never,
        "Otra emisión del mismo mensaje ya surtió efecto.",
        "Another release of the same message is already effective.";
    /// The sealed part is not the one that was signed.
    SEAL_MISMATCH = "seal.mismatch", 403, Peer, Never,
        "La parte sellada no es la que se firmó.",
        "The sealed part is not the one that was signed.";
    /// The sealed part does not open with the role's key.
    SEAL_UNOPENABLE = "seal.unopenable", 422, Peer, Never,
        "La parte sellada no se abre con la clave del rol.",
        "The sealed part does not open with the role's key.";
    /// A disclosure is not committed to, repeated or mislabelled.
    DISCLOSURE_INVALID = "disclosure.invalid", 422, Peer, Never,
        "Una divulgación no está comprometida, se repite o lleva otra etiqueta.",
        "A disclosure is not committed to, repeated or mislabelled.";
    /// The message that takes effect before this one has not arrived.
    MESSAGE_PARKED = "message.parked", 409, Peer, Later,
        "Falta el mensaje anterior del mismo caso. Repita después.",
        "The earlier message of the same case is missing. Repeat later.";
    /// The peer's answer is not of the protocol's form.
    PEER_GARBAGE = "peer.garbage", 502, Peer, Later,
        "La respuesta del par no tiene la forma del protocolo.",
        "The peer's answer is not of the protocol's form.";
    /// The peer cannot be reached.
    PEER_UNREACHABLE = "peer.unreachable", 503, Peer, Later,
        "El par no responde. Se reintenta.",
        "The peer does not answer. It is retried.";
    /// An attachment's chunks are not all here.
    ATTACHMENT_INCOMPLETE = "attachment.incomplete", 409, Caller, Later,
        "Faltan partes del adjunto. Súbalas y repita.",
        "Parts of the attachment are missing. Put them and repeat.";
    /// The node sheds load.
    OVERLOADED = "node.overloaded", 503, Node, Later,
        "El nodo está saturado. Repita después del tiempo indicado.",
        "The node is overloaded. Repeat after the time stated.";
    /// The store could not commit: nothing was accepted.
    STORE_UNAVAILABLE = "store.unavailable", 503, Node, Later,
        "El almacén no pudo confirmar: nada se aceptó. Repita.",
        "The store could not commit: nothing was accepted. Repeat.";
    /// Something of the node's own failed.
    INTERNAL = "node.internal", 500, Node, Later,
        "Falla interna: nada se aceptó. Avise al operador.",
        "Internal failure: nothing was accepted. Tell the operator.";
    /// The certificate is of no gateway that the membership vouches for.
    PEER_UNKNOWN = "peer.unknown", 403, Peer, Never,
        "El certificado no es de un nodo que la membresía avale.",
        "The certificate is of no gateway that the membership vouches for.";
    /// The content was erased: by order, or because its time was over.
    ERASED = "message.erased", 410, Policy, Never,
        "El contenido fue suprimido. Quedan los acuses y la decisión.",
        "The content was erased. Receipts and the decision remain.";
    /// A legal hold forbids the erasure.
    ERASURE_HELD = "erasure.legal_hold", 409, Policy, Never,
        "Una orden legal impide suprimir. Se registra y se revisa cuando termine.",
        "A legal hold forbids erasure. It is recorded and looked at again when it ends.";
    /// The peer's certificate has expired.
    PEER_EXPIRED = "peer.certificate_expired", 403, Peer, Later,
        "El certificado del par venció. Avise a su operador.",
        "The peer's certificate has expired. Tell its operator.";
    /// The refusal was answered, or the referral reviewed, or it cannot end that way.
    REFUSAL_CLOSED = "refusal.closed", 409, Caller, Never,
        "El renglón detenido ya se contestó o revisó, o no puede terminar así.",
        "The stopped row was already answered or reviewed, or cannot end that way.";
    /// More questions than an agency may ask in the time.
    RATE_LIMITED = "rate.limited", 429, Caller, Later,
        "Demasiadas consultas en poco tiempo. Espere y repita.",
        "Too many questions in a short time. Wait and repeat.";
    /// A consent record or event is not of its form, or contradicts itself.
    CONSENT_INVALID = "consent.invalid", 422, Caller, Never,
        "El registro de consentimiento no es válido. Corrija el campo indicado y fírmelo de nuevo.",
        "The consent record is not valid. Mend the field named and sign it again.";
    /// A consent record or event is not signed by a key of the agency that collected it.
    CONSENT_SIGNATURE = "consent.signature", 403, Caller, Never,
        "No está firmado con una llave vigente de la dependencia que recabó el consentimiento.",
        "It is not signed with a standing key of the agency that collected the consent.";
    /// Another record stands under this id, or another event in this place.
    CONSENT_CONFLICT = "consent.conflict", 409, Caller, Never,
        "Ya hay otro registro o evento en ese lugar. Consulte el consentimiento y repita.",
        "Another record or event stands in that place. Look the consent up and repeat.";
    /// There is no such consent, or not for this agency.
    CONSENT_UNKNOWN = "consent.unknown", 422, Caller, Never,
        "No hay tal consentimiento, o no para esta dependencia.",
        "There is no such consent, or not for this agency.";
    /// The consent is of another person.
    CONSENT_SUBJECT = "consent.subject", 422, Caller, Never,
        "El consentimiento es de otra persona. Nombre a la persona con la referencia del registro.",
        "The consent is of another person. Name the person by the record's reference.";
    /// An event names something that the consent does not cover: it may only shrink.
    CONSENT_WIDENS = "consent.widens", 422, Caller, Never,
        "Un consentimiento sólo se reduce. Para ampliarlo, recabe uno nuevo.",
        "A consent only shrinks. To widen it, ask for a new one.";
    /// The consent has ended: refused or withdrawn.
    CONSENT_ENDED = "consent.ended", 409, Caller, Never,
        "El consentimiento ya se negó o se retiró. Recabe uno nuevo si la persona quiere.",
        "The consent was refused or withdrawn. Ask for a new one if the person wants.";
    /// The consent no longer covers a message that waited to leave or to be handed over.
    CONSENT_LAPSED = "consent.lapsed", 403, Policy, Never,
        "El consentimiento se retiró, se redujo o venció. El mensaje no sale ni se entrega.",
        "The consent was withdrawn, narrowed or has expired. The message neither leaves nor is handed over.";
    /// What a waiting message was decided on has changed, and the decision made now does not let it leave.
    DECISION_LAPSED = "decision.lapsed", 403, Policy, Never,
        "Las reglas, el acuerdo o una aprobación cambiaron mientras esperaba, y ya no sale. Véase la regla; preséntelo de nuevo si procede.",
        "The rules, the agreement or an approval changed while it waited, and it no longer leaves. See the rule; submit it again where that is due.";
    /// A table for publication cannot be shown without giving small counts away.
    STATISTICS_UNPROTECTED = "statistics.unprotected", 422, Caller, Never,
        "La tabla no se puede publicar: envíela entera, sin celdas suprimidas ni grupos que se traslapen, y con totales que sumen.",
        "The table cannot be published: send it whole, without suppressed cells or overlapping groups, and with totals that add up.";
    /// One of the two nodes has suspended the exchange; the message is kept and goes on once that is lifted.
    EXCHANGE_SUSPENDED = "exchange.suspended", 503, Peer, Later,
        "El intercambio está suspendido por uno de los nodos. El mensaje se guarda y sale al levantarse.",
        "One of the nodes has suspended the exchange. The message is kept and goes on once that is lifted.";
    /// What is to be suspended is suspended already.
    SUSPENSION_STANDS = "suspension.stands", 409, Caller, Never,
        "Ya está suspendido.",
        "It is suspended already.";
    /// A set of policies that was handed in does not load.
    POLICY_INVALID = "policy.invalid", 422, Caller, Never,
        "Las políticas no se pueden usar. Vea el archivo y la línea, y `puente policy check`.",
        "The policies cannot be used. See the file and line, and `puente policy check`.";
    /// The folder of policies holds a set that two officers did not put in force.
    POLICY_NOT_ACTIVATED = "policy.not_activated", 409, Node, Never,
        "La carpeta de políticas no es la que dos personas oficiales activaron. Repóngala, o proponga la nueva.",
        "The folder of policies is not the set that two officers put in force. Put it back, or propose the new one.";
    /// Somebody has answered the alert, or acted on it, before.
    ALERT_CLOSED = "alert.closed", 409, Caller, Never,
        "Ya se respondió o ya se actuó. Consulte la alerta.",
        "It was answered, or acted on, before. Look the alert up.";
    /// The alert has not left: policy holds it.
    ALERT_HELD = "alert.held", 409, Caller, Later,
        "La alerta está retenida y no ha salido. Primero libérela.",
        "The alert is held and has not left. Release it first.";
    /// Nobody of the authority has taken the alert yet.
    ALERT_UNANSWERED = "alert.unanswered", 409, Caller, Later,
        "Nadie ha tomado la alerta. Primero acuse recibo con la firma de una persona oficial.",
        "Nobody has taken the alert. Answer it first, with an officer's signature.";
    /// The facts of a recorded decision are erased or of an older form.
    FACTS_GONE = "decision.facts_gone", 410, Node, Never,
        "Los hechos de esta decisión ya no se pueden leer; queda el resultado registrado.",
        "The facts of this decision can no longer be read; its recorded outcome stands.";
    /// The agency, or the node, has as many streams of events open as it may.
    EVENT_STREAMS = "event.streams", 429, Caller, Later,
        "Demasiados flujos de avisos abiertos. Cierre uno o espere.",
        "Too many streams of events are open. Close one or wait.";
    /// The address is outside the networks that the operator lets be called.
    WEBHOOK_ADDRESS = "webhook.address", 422, Caller, Never,
        "La dirección no está en las redes que el operador permite llamar. Acuerde con él otra dirección o red.",
        "The address is outside the networks that the operator lets be called. Agree on another address or network.";
    /// The agency has as many webhooks as it may.
    WEBHOOK_LIMIT = "webhook.limit", 409, Caller, Never,
        "La dependencia ya tiene todos los webhooks que puede tener. Quite uno.",
        "The agency has as many webhooks as it may. Remove one.";
    /// No connection to the receiver, or its certificate is not the one registered.
    WEBHOOK_UNREACHABLE = "webhook.unreachable", 504, Caller, Later,
        "No hay conexión con el receptor, o su certificado no es el registrado. Revise red, nombre y certificado.",
        "No connection to the receiver, or its certificate is not the one registered. Check network, name and certificate.";
    /// The receiver was reached and did not answer in time.
    WEBHOOK_UNANSWERED = "webhook.unanswered", 504, Caller, Later,
        "El receptor no respondió a tiempo. Responda 2xx en cuanto el aviso esté guardado.",
        "The receiver did not answer in time. Answer 2xx as soon as the event is stored.";
    /// The receiver answered something else than 2xx.
    WEBHOOK_REFUSED = "webhook.refused", 502, Caller, Later,
        "El receptor respondió otra cosa que 2xx: no es una entrega.",
        "The receiver answered something else than 2xx: that is no delivery.";
    /// The receiver sent us elsewhere.
    WEBHOOK_REDIRECTED = "webhook.redirected", 502, Caller, Never,
        "El receptor envió a otra dirección, y el nodo no la sigue. Registre la dirección definitiva.",
        "The receiver sent us elsewhere, and the node does not follow. Register the final address.";
    /// The receiver asked for no more.
    WEBHOOK_GONE = "webhook.gone", 410, Caller, Never,
        "El receptor pidió no recibir más (410). Reanude cuando vuelva a querer avisos.",
        "The receiver asked for no more (410). Resume when it wants events again.";
    /// The agency signed something else than its gateway would have said or than was submitted.
    SIGNED_DIFFERS = "signed.differs", 422, Caller, Never,
        "Lo firmado no es lo que el nodo diría de este mensaje. Pregunte de nuevo qué firmar y firme eso.",
        "What was signed is not what the gateway would say of this message. Ask again what to sign, and sign that.";
    /// The agency signed it too long ago.
    SIGNED_STALE = "signed.stale", 422, Caller, Never,
        "La firma es de hace más de quince minutos. Pregunte de nuevo qué firmar y firme otra vez.",
        "The signature is more than fifteen minutes old. Ask again what to sign, and sign anew.";
    /// An attachment's chunks are all here and do not have the root that the message names.
    ATTACHMENT_MISMATCH = "attachment.mismatch", 422, Caller, Never,
        "Las partes del adjunto no son las que el mensaje nombra. Cífrelo de nuevo, con otra clave, y súbalo.",
        "The chunks of the attachment are not those that the message names. Encrypt it anew, under another key, and put it.";
    /// The same chunk of the same owner was put with other bytes.
    ATTACHMENT_CONFLICT = "attachment.conflict", 409, Caller, Never,
        "Ya se subieron otros datos en este lugar. Cifre el adjunto de nuevo, con otra clave.",
        "Other bytes were put in this place before. Encrypt the attachment anew, under another key.";
    /// Too many bytes of attachments wait for a message to name them.
    ATTACHMENT_QUOTA = "attachment.quota", 429, Caller, Later,
        "Hay demasiados adjuntos subidos que ningún mensaje nombra. Envíe sus mensajes, o espere a que caduquen.",
        "Too many attachments were put that no message names. Send their messages, or wait until they lapse.";
    /// This node's clock is far from the median of all: nothing new is begun.
    CLOCK_ALONE = "clock.alone", 503, Node, Later,
        "El reloj del nodo difiere más de dos minutos de los demás. Corríjalo; mientras, sólo salen alertas, retiros y acuses.",
        "The gateway's clock is more than two minutes from those of the others. Correct it; meanwhile only alerts, withdrawals and receipts leave.";
    /// A step of a child's case that may not be taken now; the answer says what may.
    CASE_STEP = "case.step_not_allowed", 409, Caller, Never,
        "El caso no admite este paso ahora. Vea cuáles siguen.",
        "The case does not allow this step now. See which ones may follow.";
    /// A step names an offer that is not there, or not for this agency, or of another country.
    CASE_UNKNOWN = "case.unknown", 422, Caller, Never,
        "No hay tal ofrecimiento de caso para esta dependencia con ese país. Nómbrelo en `in_reply_to`.",
        "There is no such offer of a case for this agency with that country. Name it in `in_reply_to`.";
    /// Several agencies hold the role, one of them a key of its own, and the message names none of them.
    SEAL_AGENCY_NEEDED = "seal.agency_needed", 422, Caller, Never,
        "Varias autoridades tienen ese rol y alguna abre con llave propia. Nombre a una en `recipient.agency`.",
        "Several authorities hold that role, and one opens with a key of its own. Name one of them in `recipient.agency`.";
    /// All keys of its own of the authority that is meant have ended.
    SEAL_NO_KEY = "seal.no_key", 422, Peer, Later,
        "La autoridad abre con llave propia y ninguna está vigente. Avísele por teléfono; en cuanto inscriba otra, repita.",
        "The authority opens with a key of its own, and none of them stands. Tell it by telephone; once it has added another, repeat.";
    /// The message is sealed to a key that an agency alone has.
    SEAL_HELD_BY_AGENCY = "seal.held_by_agency", 409, Caller, Never,
        "Está sellado para la llave propia de la autoridad; el nodo sólo lo lleva. Ábralo en su equipo con `puente desk`.",
        "It is sealed to the authority's own key; the node only carries it. Open it on its machine with `puente desk`.";
    /// The message is sealed to the node's key for its role.
    SEAL_HELD_BY_NODE = "seal.held_by_node", 409, Caller, Never,
        "Lo abre el nodo: léalo con `GET /v1/messages/{id}/content`.",
        "The node opens it: read it by `GET /v1/messages/{id}/content`.";
    /// The key to which a waiting message is sealed has ended.
    SEAL_KEY_ENDED = "seal.key_ended", 409, Peer, Never,
        "La llave con que se selló terminó mientras esperaba. Preséntelo de nuevo: se sella con la vigente.",
        "The key that it is sealed to ended while it waited. Submit it again: it is sealed to the one that stands.";
    /// None of the keys on the authority's machine is the one that the message is sealed to.
    SEAL_KEY_MISSING = "seal.key_missing", 409, Caller, Later,
        "La llave con que se selló no está en este equipo. Póngala, o declárela perdida.",
        "The key that it is sealed to is not on this machine. Put it there, or state that it is lost.";
    /// The authority has lost the key to which the message is sealed.
    SEAL_KEY_LOST = "seal.key_lost", 409, Peer, Never,
        "La autoridad perdió la llave y no puede abrirlo. Envíelo de nuevo con `replaces`.",
        "The authority has lost the key and cannot open it. Send it again with `replaces`.";
    /// A key said to be lost stands in the directory still.
    SEAL_KEY_STANDS = "seal.key_stands", 409, Caller, Later,
        "La llave sigue vigente en el directorio: se sellaría otra vez con ella. Termínela primero (`puente agency seal-key revoke`).",
        "The key stands in the directory still: it would be sealed to again. End it first (`puente agency seal-key revoke`).";
}

/// One occurrence of a problem: the kind, the field at fault and what the operator may read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", kind.code, field.as_ref().map(|f| format!(" at `{f}`")).unwrap_or_default())]
pub struct Problem {
    /// Which kind.
    pub kind: &'static Kind,
    /// The field, cell or JSON Pointer at fault; a name, never a value.
    pub field: Option<String>,
    /// More for the one who asked, without personal data.
    pub detail: Option<String>,
    /// The rule of policy that decided, if one did.
    pub rule: Option<String>,
}

impl Problem {
    /// A problem of this kind, without more to say.
    #[must_use]
    pub const fn new(kind: &'static Kind) -> Self {
        Self { kind, field: None, detail: None, rule: None }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds a detail that holds no personal data.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the rule that decided.
    #[must_use]
    pub fn by_rule(mut self, rule: impl Into<String>) -> Self {
        self.rule = Some(rule.into());
        self
    }
}

impl From<&'static Kind> for Problem {
    fn from(kind: &'static Kind) -> Self {
        Self::new(kind)
    }
}

/// The kind with this code.
#[must_use]
pub fn by_code(code: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_both_languages_speak() {
        let codes: BTreeSet<_> = ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), ALL.len());
        assert!(ALL.iter().all(|kind| !kind.es.is_empty() && !kind.en.is_empty()));
    }
}
