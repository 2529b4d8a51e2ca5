//! What the screens say, in Spanish and English.
//!
//! Not here: what the catalogue and the node say for themselves (`labels`, `reach`). INVARIANT: every phrase stands here
//! with both languages side by side; one that is missing in either does not compile.

use serde::Deserialize;

/// A language of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Language {
    /// Spanish, the first.
    #[default]
    Es,
    /// English.
    En,
}

impl Language {
    /// Everything in this language.
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Es => &ES,
            Self::En => &EN,
        }
    }

    /// The one of two texts that is in this language.
    pub(super) const fn of<'t>(self, es: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }
}

macro_rules! words {
    ($($name:ident: $es:literal, $en:literal;)*) => {
        /// Every phrase in one language.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }
        static ES: Words = Words { $($name: $es,)* };
        static EN: Words = Words { $($name: $en,)* };
    };
}

words! {
    lang: "es", "en";
    other_lang: "en", "es";
    other_language: "English", "Español";
    skip: "Ir al contenido", "Skip to content";
    menu: "Secciones", "Sections";
    training: "ADIESTRAMIENTO: ninguna persona es real", "TRAINING: no person is real";
    inbox: "Bandeja de protección", "Protection inbox";
    approvals: "Aprobaciones", "Approvals";
    reception: "Lista de recepción", "Reception list";
    leave: "Salir", "Sign out";
    back_to_inbox: "Volver a la bandeja", "Back to the inbox";
    yes: "Sí", "Yes";
    no: "No", "No";
    hour: "Hora", "Hour";
    minutes_short: "min", "min";
    hours_short: "h", "h";
    days_short: "d", "d";

    login: "Entrar al escritorio", "Sign in to the desk";
    login_how: "Escriba el código que aparece en la terminal donde se abrió este escritorio.",
        "Type the code shown in the terminal where this desk was opened.";
    login_code: "Código", "Code";
    login_enter: "Entrar", "Sign in";
    login_wrong: "Ese no es el código. Después de cinco intentos la terminal muestra uno nuevo.",
        "That is not the code. After five attempts the terminal shows a new one.";
    login_ended: "La sesión terminó. Pida un código nuevo en la terminal.",
        "The session has ended. The terminal shows a new code.";

    trouble: "No se pudo hacer", "It could not be done";
    trouble_code: "Código", "Code";
    unreachable: "El nodo no responde. Nada se perdió: inténtelo de nuevo y, si sigue así, avise a su operador.",
        "The node does not answer. Nothing was lost: try again, and tell your operator if it goes on.";
    unreadable: "La respuesta del nodo no se entiende. Avise a su operador.",
        "The node's answer is not understood. Tell your operator.";
    not_here: "Esta página no existe.", "This page does not exist.";
    form_invalid: "Falta un dato del formulario o no tiene la forma indicada. Revíselo y envíelo de nuevo.",
        "Something in the form is missing or not of the form shown. Check it and send it again.";
    form_stale: "El formulario no es de esta sesión. Vuelva a la página y envíelo de nuevo.",
        "The form is not of this session. Go back to the page and send it again.";
    held_instead: "No salió: las reglas lo retienen para dos personas.", "It did not leave: the rules hold it for two people.";
    refused_instead: "No salió: las reglas no lo permiten.", "It did not leave: the rules do not allow it.";

    inbox_none: "Ninguna alerta espera respuesta.", "No alert waits for an answer.";
    inbox_to_answer: "Por responder", "To answer";
    inbox_waiting: "Enviadas, en espera del otro país", "Sent, waiting for the other country";
    inbox_changed: "La bandeja cambió.", "The inbox has changed.";
    inbox_reload: "Actualizar", "Refresh";
    answer_in: "responder en", "answer in";
    act_in: "actuar en", "act in";
    answer_due_in: "su respuesta vence en", "their answer is due in";
    act_due_in: "su primera acción vence en", "their first action is due in";
    overdue: "vencida hace", "overdue by";
    state_waits: "Espera respuesta", "Waits for an answer";
    state_no_answer: "Sin respuesta a tiempo", "No answer in time";
    state_answered: "Tomada", "Taken";
    state_telephone: "Respondida por teléfono, falta la firma", "Answered by telephone, not yet signed";
    state_acted: "Primera acción hecha", "First action done";
    state_not_taken: "El otro nodo no la recibió", "The other node did not take it";
    from: "de", "from";
    to: "para", "to";
    open_alert: "Abrir", "Open";
    opening_tells: "Al abrirla, el otro país recibe constancia de que se leyó.",
        "Opening it tells the other country that it was read.";
    card: "Ficha", "Card";
    not_stated: "no consta", "not stated";
    age: "Edad", "Age";
    age_estimated: "estimada", "estimated";
    years: "años", "years";
    sex: "Sexo", "Sex";
    languages: "Idiomas", "Languages";
    interpreter: "necesita intérprete", "needs an interpreter";
    status: "Situación", "Status";
    area: "Lugar", "Area";
    needs: "Necesidades", "Needs";
    specialised: "Recepción especializada", "Specialised reception";
    everything: "Todo lo que dice el mensaje", "Everything the message says";
    opened_here: "Abierto en este equipo.", "Opened on this machine.";
    opened_by_node: "Abierto por el nodo de su país.", "Opened by your country's node.";

    take_title: "Acusar recibo y tomar el caso", "Acknowledge and take the case";
    take_says: "Usted firma que su autoridad tiene el caso. El otro país verá quién lo tomó y este teléfono.",
        "You sign that your authority has the case. The other country sees who took it, and this telephone.";
    phone: "Teléfono que se atiende a toda hora", "Telephone answered at any hour";
    phone_hint: "Con prefijo del país, sin espacios: +50224148888", "With the country's prefix, no spaces: +50224148888";
    fear: "¿Ha expresado temor de volver o pedido protección?", "Has the child expressed fear of return or asked for protection?";
    fear_none: "No se ha expresado", "None expressed";
    fear_sought: "Sí", "Yes";
    fear_unknown: "No se sabe", "Not known";
    fear_hint: "Queda en su nodo: decide si la respuesta puede salir.", "It stays in your node: it decides whether the answer may leave.";
    take: "Tomar el caso", "Take the case";
    taken: "Listo: el caso es suyo y el otro país lo sabrá.", "Done: the case is yours, and the other country will know.";
    act_title: "Primera acción", "First action";
    act_says: "Usted firma qué fue lo primero que se hizo. El remitente lo sabe por un recibo.",
        "You sign what was done first. The sender learns it by a receipt.";
    act_what: "Qué se hizo", "What was done";
    act_visited: "Se visitó a la niña o niño", "The child was visited";
    act_sheltered: "Está en un lugar seguro", "The child is in a safe place";
    act_relatives: "Se contactó a la familia", "Relatives were contacted";
    act_police: "Se avisó a la policía o fiscalía", "Police or prosecutor were told";
    act_health: "Recibe atención médica", "The child receives medical care";
    act: "Registrar la primera acción", "Record the first action";
    acted: "Registrado: la primera acción quedó firmada.", "Recorded: the first action is signed.";
    telephone_title: "Respuesta por teléfono", "Answer by telephone";
    telephone_says: "Si le contestaron por teléfono, anótelo. La otra autoridad debe firmar después.",
        "If they answered by telephone, enter it. The other authority has to sign later.";
    telephone_who: "Quién contestó", "Who answered";
    telephone_number: "A qué número", "At which number";
    telephone: "Anotar la llamada", "Enter the call";
    telephoned: "Anotado: falta la firma de la otra autoridad.", "Entered: the other authority's signature is still to come.";
    calls: "A quién se llamó", "Who was called";
    wake_officer: "guardia", "on duty";
    wake_deputy: "relevo", "deputy";
    wake_supervisor: "jefatura", "supervisor";
    wake_operator: "operación", "operator";
    call_waits: "en camino", "on its way";
    call_handed: "entregado", "delivered";
    call_spared: "ya no hizo falta", "no longer needed";
    call_failed: "no se pudo entregar", "could not be delivered";

    back_to_operations: "Volver a las operaciones", "Back to operations";
    back_to_approvals: "Volver a las aprobaciones", "Back to approvals";
    approvals_none: "Nada espera una decisión.", "Nothing waits for a decision.";
    approvals_own: "Retenidas de su dependencia", "Held rows of your agency";
    approvals_authority: "Esperan a su autoridad", "Waiting for your authority";
    rule: "Regla", "Rule";
    why_held: "Por qué se retuvo", "Why it is held";
    lapses_in: "caduca en", "lapses in";
    decide: "Revisar y decidir", "Review and decide";
    preview: "Antes y después", "Before and after";
    before: "Lo que se presentó", "What was submitted";
    after: "Lo que leería el otro país", "What the other country would read";
    withheld: "Se retiene", "Withheld";
    removals: "Qué se retiene y por qué", "What is withheld, and why";
    removals_none: "Nada se retiene: el otro país leería todo lo presentado.", "Nothing is withheld: the other country would read all of it.";
    stale: "Las reglas cambiaron desde que se retuvo: ya no puede liberarse así. Debe presentarse de nuevo.",
        "The rules have changed since it was held: it cannot be released like this. It has to be submitted again.";
    spoken: "Quién se ha pronunciado", "Who has spoken";
    spoken_none: "Nadie todavía.", "Nobody yet.";
    grants: "la libera", "releases it";
    refuses: "la niega", "refuses it";
    two_people: "Hacen falta dos personas distintas para liberarla; una basta para negarla.",
        "It takes two different people to release it; one is enough to refuse it.";
    your_word: "Su decisión", "Your decision";
    reason: "Motivo", "Reason";
    reason_reviewed: "Revisado", "Reviewed";
    reason_assessed: "Evaluado en persona", "Assessed in person";
    reason_family_unity: "Unidad familiar", "Family unity";
    reason_not_in_interest: "No conviene a la persona", "Not in the person's interest";
    reason_incomplete: "Información incompleta", "Incomplete information";
    grant: "Liberar", "Release";
    refuse: "Negar", "Refuse";
    granted: "Liberada: sale por la cola.", "Released: it goes out through the queue.";
    refused: "Negada: no sale.", "Refused: it does not go.";
    noted: "Anotado: todavía falta alguien más.", "Recorded: somebody else is still needed.";
    closed: "Ya no espera decisión.", "It no longer waits for a decision.";
    gives: "Usted decide por su autoridad", "You decide for your authority";
    gives_sender_child_protection: "Aprobación de la autoridad de niñez que envía", "Approval of the sending child-protection authority";
    gives_recipient_child_protection: "Aprobación de la autoridad de niñez que recibe", "Approval of the receiving child-protection authority";
    gives_missing_child_authority: "Autorización de difundir la búsqueda", "Authorisation to broadcast the search";
    until: "Vale durante", "It stands for";
    approve: "Aprobar", "Approve";
    state_granted: "Liberada", "Released";
    state_refused: "Negada", "Refused";
    state_lapsed: "Caducó", "Lapsed";

    operations: "Operaciones: hoy y próximas 72 horas", "Operations: today and the next 72 hours";
    operations_none: "Ninguna operación anunciada.", "No operation announced.";
    operations_others: "Otras operaciones recientes", "Other recent operations";
    arrives: "Llega", "Arrives";
    people: "Personas", "People";
    notice: "Aviso con", "Notice of";
    see_list: "Ver la lista", "See the list";
    list_none: "La lista todavía no llega.", "The list has not come yet.";
    of_people: "de", "of";
    reported_so_far: "con llegada registrada", "with an arrival recorded";
    together: "Viajan juntos", "Travelling together";
    missing_birth: "sin fecha de nacimiento", "no date of birth";
    missing_language: "sin idioma", "no language";
    missing_name: "sin nombre", "no name";
    hidden: "Oculto por política", "Hidden by policy";
    hidden_why: "El país que envía retuvo esta categoría según sus reglas; la regla y el motivo quedan en su registro.",
        "The sending country withheld this category under its rules; rule and reason stay in its record.";
    to_child_protection: "Entregar a protección de niñez", "Hand over to child protection";
    corrected: "Corregido", "Corrected";
    corrected_check: "compare con la hoja impresa", "compare with the printed sheet";
    taken_off: "Retirado de la lista", "Taken off the list";
    illegible: "Renglón ilegible: avise al operador", "Row does not open: tell the operator";
    arrived: "Llegó", "Arrived";
    no_show: "No viajó", "Did not travel";
    not_national: "No es nacional", "Not our national";
    unlisted: "No estaba en lista", "Not on list";
    recorded_elsewhere: "Registrado desde otro equipo", "Recorded from another machine";
    recorded_change: "Corregir", "Correct it";
    unlisted_says: "Alguien llegó que no está en ninguna lista de esta operación.",
        "Somebody came who is on no list of this operation.";
    given_names: "Nombres", "Given names";
    first_surname: "Primer apellido", "First surname";
    second_surname: "Segundo apellido (si tiene)", "Second surname (if any)";
    age_about: "Edad aproximada", "Age, about";
    nationality: "Nacionalidad, dos letras", "Nationality, two letters";
    female: "Mujer", "Female";
    male: "Hombre", "Male";
    other_sex: "Otro", "Other";
    unlisted_record: "Registrar a quien no estaba en lista", "Record who was not on the list";
    fear_box: "Expresó temor de volver o pidió protección", "Expressed fear of return or asked for protection";
    unlisted_done: "Registrado: el país que envía sabrá que llegó alguien más.", "Recorded: the sending country will know that somebody else came.";
}
