//! What OMMs ask each other by errands ([`omm::errand`]), and what they answer: requests of AXI clients for a phone that is
//! at another OMM (B-11, M-2.2.6-a), in the words of the client, and what happened to a user there (B-16), in ours.
//!
//! ```text
//! <GetPPState ppn="4"/>            <GetPPStateResp ppn="4" callState="none" registered="1" .../>
//! <GetStory num="101"/>            <GetStoryResp site="rome"><line at="1790000000123" rule="SM-2" what="the phone was let in"/></GetStoryResp>
//! ```

use machine::time::Wall;
use omm::errand::TEXT_MAX;
use omm::ids::Number;

use crate::element::Element;
use crate::error::{ErrCode, Refused};
use crate::fields::Fields;
use crate::reply::Reply;
use crate::request::{Look, Page};

const STATE: &str = "GetPPState";
const LAST: &str = "GetLastPPDevAction";
const STORY: &str = "GetStory";
const LINE: &str = "line";

/// What is told of a phone (axi schema, `PPStateType`); whatever else an OMM tells stays with it.
const TOLD: [&str; 11] = [
    "ppn",
    "onHook",
    "silentCharging",
    "batteryLevel",
    "swVersion",
    "callState",
    "bluetooth",
    "registered",
    "regServerType",
    "regServerAddr",
    "regServerPort",
];

/// What is told of its last action, in a child.
const ACTED: [&str; 3] = ["ppn", "trType", "relTime"];
const HANDSET: &str = "pp";

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// How the phone in this row stands.
    State(u32),
    /// What it did last.
    LastAction(u32),
    /// What happened to this user lately.
    Story(Number),
}

/// What one site tells of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What the site calls itself.
    pub site: String,
    /// Oldest first.
    pub lines: Vec<Line>,
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// When, by the clock of the OMM that tells it.
    pub at: Wall,
    /// What happened, in words.
    pub what: String,
    /// By which rules: ids of the specification.
    pub rule: String,
}

impl Inquiry {
    /// What of a look has to be asked where the phone is; `None` for what is known everywhere.
    pub fn of(look: &Look) -> Option<Inquiry> {
        if let Look::State(ppn) = look {
            Some(Inquiry::State(*ppn))
        } else if let Look::LastAction(Page { from, max: 1 }) = look {
            // A list is that of this site.
            Some(Inquiry::LastAction(*from))
        } else {
            None
        }
    }

    /// What answers it at the OMM that is asked; `None` for a story, which no client asks for.
    pub fn look(&self) -> Option<Look> {
        match self {
            Inquiry::State(ppn) => Some(Look::State(*ppn)),
            Inquiry::LastAction(ppn) => Some(Look::LastAction(Page { from: *ppn, max: 1 })),
            Inquiry::Story(_) => None,
        }
    }

    /// As text.
    pub fn write(&self) -> String {
        match self {
            Inquiry::State(ppn) => Element::new(STATE).with("ppn", ppn.to_string()).to_string(),
            Inquiry::LastAction(ppn) => Element::new(LAST).with("ppn", ppn.to_string()).to_string(),
            Inquiry::Story(number) => Element::new(STORY).with("num", number.to_string()).to_string(),
        }
    }

    /// Reads it; `None` for what is not answered.
    pub fn read(text: &str) -> Option<Inquiry> {
        let element = Element::read(text.as_bytes()).ok()?;
        let fields = Fields::of(&element);
        match element.name() {
            STATE => fields.value("ppn").ok().map(Inquiry::State),
            LAST => fields.value("ppn").ok().map(Inquiry::LastAction),
            STORY => fields.value("num").ok().map(Inquiry::Story),
            _ => None,
        }
    }
}

/// What is answered about a phone, as text.
pub fn write_phone(answer: &Result<Reply, Refused>) -> String {
    let mut element = Element::new("PhoneResp");
    match answer {
        Ok(reply) => reply.write(&mut element),
        Err(refused) => element.set("errCode", refused.code.to_string()),
    }
    element.to_string()
}

/// Reads what was answered about the phone in this row; `None` when it is no such answer.
pub fn read_phone(text: &str, ppn: u32) -> Option<Result<Reply, Refused>> {
    let element = Element::read(text.as_bytes()).ok()?;
    if let Some(code) = element.get("errCode") {
        return Some(Err(Refused::new(code.parse::<ErrCode>().ok()?)));
    }
    let told = TOLD.into_iter().filter_map(|name| Some((name, element.get(name)?.to_owned())));
    let mut reply = Reply::of(told);
    if let Some(acted) = element.child(HANDSET) {
        let told = ACTED.into_iter().filter_map(|name| Some((name, acted.get(name)?.to_owned())));
        reply.children.push(told.fold(Element::new(HANDSET), |acted, (name, value)| acted.with(name, value)));
    }
    let row = element.get("ppn").or_else(|| element.child(HANDSET)?.get("ppn"))?;
    (row == ppn.to_string()).then_some(Ok(reply))
}

/// A story as text: the newest lines that fit an errand.
pub fn write_story(Story { site, lines }: &Story) -> String {
    let mut element = Element::new("GetStoryResp").with("site", site.clone());
    let mut kept = Vec::new();
    let mut room = TEXT_MAX.saturating_sub(element.to_string().len() + "</GetStoryResp>".len());
    for line in lines.iter().rev() {
        let line = Element::new(LINE)
            .with("at", line.at.as_millis().to_string())
            .with("rule", line.rule.clone())
            .with("what", line.what.clone());
        let Some(left) = room.checked_sub(line.to_string().len()) else { break };
        room = left;
        kept.push(line);
    }
    kept.into_iter().rev().for_each(|line| element.push(line));
    element.to_string()
}

/// Reads a story; `None` when it is none. Lines that cannot be understood are left out.
pub fn read_story(text: &str) -> Option<Story> {
    let element = Element::read(text.as_bytes()).ok()?;
    let line = |line: &Element<'_>| {
        let fields = Fields::of(line);
        let at = Wall::from_millis(fields.value("at").ok()?);
        Some(Line { at, what: fields.text("what")?.to_owned(), rule: fields.text("rule")?.to_owned() })
    };
    let site = element.get("site").filter(|_| element.name() == "GetStoryResp")?.to_owned();
    Some(Story { site, lines: element.children().iter().filter_map(line).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_and_told_arrives_as_it_was_said() {
        let number = Number::new("101").unwrap();
        for inquiry in [Inquiry::State(4), Inquiry::LastAction(5), Inquiry::Story(number)] {
            assert_eq!(Inquiry::read(&inquiry.write()), Some(inquiry));
        }
        for strange in ["", "<GetStory/>", "<GetPPState ppn=\"x\"/>", "<DeletePPUser uid=\"1\"/>"] {
            assert_eq!(Inquiry::read(strange), None, "{strange}");
        }
        let state = Reply::of([("ppn", "4".to_owned()), ("regServerAddr", "192.0.2.1".to_owned())]);
        let acted = Element::new("pp").with("ppn", "4").with("trType", "LocReg").with("relTime", "7");
        let acted = Reply { children: vec![acted], ..Reply::default() };
        for reply in [state, acted] {
            assert_eq!(read_phone(&write_phone(&Ok(reply.clone())), 4), Some(Ok(reply.clone())));
            assert_eq!(read_phone(&write_phone(&Ok(reply)), 5), None, "another phone's");
        }
        let none = Err(Refused::new(ErrCode::NoEnt));
        assert_eq!(read_phone(&write_phone(&none), 4), Some(none));
    }

    #[test]
    fn a_client_is_told_nothing_of_a_phone_that_it_cannot_know() {
        let text = "<PhoneResp ppn=\"4\" uak=\"secret\"><user sipPw=\"secret\"/></PhoneResp>";
        assert_eq!(read_phone(text, 4), Some(Ok(Reply::of([("ppn", "4".to_owned())]))));
    }

    #[test]
    fn of_a_long_story_the_newest_lines_travel() {
        let line = |n: u64| Line {
            at: Wall::from_millis(n),
            what: format!("\"{}\"", "x".repeat(60)),
            rule: "SM-2".to_owned(),
        };
        let all: Vec<Line> = (0..1000).map(line).collect();
        let story = |lines: &[Line]| Story { site: "rome".to_owned(), lines: lines.to_vec() };
        let text = write_story(&story(&all));
        assert!(text.len() <= TEXT_MAX && text.len() > TEXT_MAX - 200, "{}", text.len());
        let told = read_story(&text).unwrap();
        assert_eq!(told.lines[..], all[1000 - told.lines.len()..]);
        assert_eq!(read_story(&write_story(&story(&all[..3]))), Some(story(&all[..3])));
        assert_eq!(read_story("<GetStoryResp/>"), None);
    }
}
