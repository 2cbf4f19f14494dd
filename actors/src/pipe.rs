//! How frames travel over an AXI connection: the bytes of a [`crate::link`] and of a [`crate::channel`].

use actix::prelude::*;
use axi::error::Fault;
use axi::frame::Frames;
use axi::link::{decode, encode};
use bytes::Bytes;
use machine::note::Note;
use machine::step::Machine;
use omm::link::frame::Frame;

use crate::doors::ToPeer;
use crate::seat::Seat;

/// The way of one connection's bytes.
#[derive(Default)]
pub(crate) struct Pipe {
    /// The attempt to connect that counts.
    pub(crate) attempt: u64,
    /// Where to write.
    pub(crate) line: Option<Recipient<ToPeer>>,
    frames: Frames,
}

impl Pipe {
    /// The pipe of a connection that somebody else opened.
    pub(crate) fn on(line: Recipient<ToPeer>) -> Pipe {
        Pipe { line: Some(line), ..Pipe::default() }
    }

    /// A full door means that the other side does not read: the connection is given up, states are compared later.
    pub(crate) fn send(&mut self, frame: &Frame) {
        self.write(encode(frame));
    }

    fn write(&mut self, bytes: Bytes) {
        if let Some(line) = &self.line
            && line.try_send(ToPeer::Bytes(bytes)).is_err()
        {
            line.do_send(ToPeer::Close);
            self.line = None;
        }
    }

    /// What these bytes complete. A message that cannot be understood is answered as AXI says and the connection goes
    /// on; one that is no message ends it, because the stream has lost its frame.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        if let Err(broken) = self.frames.push(bytes) {
            heard.push(Heard::Broken(broken.to_string()));
        }
        while let Some(message) = self.frames.next() {
            let length = message.as_ref().map_or(0, |message| message.len());
            let read = message.map_err(Fault::Malformed).and_then(|message| decode(&message));
            match read {
                Ok(frame) => heard.push(Heard::Frame(frame, length)),
                Err(Fault::Complaint(complaint)) => {
                    self.write(axi::message::Message::Other(complaint.answer()).bytes());
                    heard.push(Heard::Fault(complaint.to_string()));
                }
                Err(fault @ (Fault::Refused(_) | Fault::Unsupported(_))) => {
                    heard.push(Heard::Fault(fault.to_string()))
                }
                Err(Fault::Malformed(broken)) => {
                    heard.push(Heard::Broken(broken.to_string()));
                    break;
                }
            }
        }
        if matches!(heard.last(), Some(Heard::Broken(_))) {
            self.close();
        }
        heard
    }

    pub(crate) fn close(&mut self) {
        if let Some(line) = self.line.take() {
            line.do_send(ToPeer::Close);
        }
        self.frames = Frames::default();
    }
}

/// What a connection brought.
pub(crate) enum Heard {
    /// This frame, and how many bytes it took.
    Frame(Frame, usize),
    /// Not understood, answered, the connection goes on.
    Fault(String),
    /// The connection is of no more use.
    Broken(String),
}

/// Puts into the trace what came and could not be understood.
pub(crate) fn complain<M: Machine>(seat: &Seat<M>, text: String) {
    if seat.trace().listening() {
        seat.trace().tell(seat.clock().moment(), seat.who(), &Note::new("alarm").text("text", text));
    }
}
