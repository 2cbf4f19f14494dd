//! How errands travel between OMMs ([`omm::errand`]). Ours.
//!
//! ```text
//! <EventErrand hmFrom="102AF12C" hmNumber="7" hmTo="102A7C82">&lt;GetPPState ppn="4"/&gt;</EventErrand>
//! <EventErrandTold hmFrom="102AF12C" hmNumber="7">&lt;GetPPStateResp ppn="4"/&gt;</EventErrandTold>
//! <EventErrandTold hmFrom="102AF12C" hmNumber="7"/>
//! ```
//!
//! An answer without a text is that nobody can tell. What the texts say: [`crate::inquiry`].

use omm::errand::{Errand, TEXT_MAX, Ticket};

use crate::element::Element;
use crate::error::Complaint;
use crate::fields::Fields;

/// The message of a question.
pub const ASK: &str = "EventErrand";
/// The message of an answer.
pub const TOLD: &str = "EventErrandTold";

/// The wire form.
pub(crate) fn element(errand: &Errand) -> Element<'static> {
    let of = |name: &'static str, ticket: &Ticket| {
        Element::new(name).with("hmFrom", ticket.from.to_string()).with("hmNumber", ticket.number.to_string())
    };
    match errand {
        Errand::Ask { ticket, to, text } => {
            of(ASK, ticket).with("hmTo", to.to_string()).with_text(text.to_string())
        }
        Errand::Told { ticket, text: Some(text) } => of(TOLD, ticket).with_text(text.to_string()),
        Errand::Told { ticket, text: None } => of(TOLD, ticket),
    }
}

/// Reads it.
///
/// # Errors
/// A number or a name of an OMM is missing or wrong, or the text is longer than [`TEXT_MAX`].
pub(crate) fn read(element: &Element<'_>) -> Result<Errand, Complaint> {
    let fields = Fields::of(element);
    let ticket = Ticket { from: fields.value("hmFrom")?, number: fields.value("hmNumber")? };
    let text = element.text();
    if text.len() > TEXT_MAX {
        return Err(fields.wrong("text", format_args!("expected at most {TEXT_MAX} bytes")));
    }
    Ok(match element.name() {
        ASK => Errand::Ask { ticket, to: fields.value("hmTo")?, text: text.into() },
        _ => Errand::Told { ticket, text: (!text.is_empty()).then(|| text.into()) },
    })
}

#[cfg(test)]
mod tests {
    use omm::link::frame::Frame;
    use omm::stamp::OmmId;

    use super::*;
    use crate::error::Fault;
    use crate::link::{decode, encode};

    fn told(text: Option<&str>) -> Errand {
        let ticket = Ticket { from: OmmId::new(0x102A_F12C), number: u64::MAX };
        Errand::Told { ticket, text: text.map(Into::into) }
    }

    fn travels(errand: &Errand) -> Result<Frame, Fault> {
        let bytes = encode(&Frame::Errand(Box::new(errand.clone())));
        decode(bytes.strip_suffix(b"\0").unwrap())
    }

    #[test]
    fn errands_arrive_as_they_were_sent() {
        let ticket = Ticket { from: OmmId::new(0x102A_F12C), number: 7 };
        let text = "<GetPPState ppn=\"4\" x=\"a&lt;&quot;\u{1F4DE}\"/>";
        let ask = Errand::Ask { ticket, to: OmmId::new(0x102A_7C82), text: text.into() };
        for errand in [ask, told(Some(text)), told(Some("]]>")), told(None)] {
            assert_eq!(travels(&errand), Ok(Frame::Errand(Box::new(errand))));
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_by_name() {
        let text = "x".repeat(TEXT_MAX + 1);
        let refused = travels(&told(Some(&text))).unwrap_err();
        assert!(matches!(refused, Fault::Complaint(_)), "{refused:?}");
        assert!(travels(&told(Some(&text[1..]))).is_ok());
    }
}
