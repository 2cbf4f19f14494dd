//! A cable between two OMMs that can be cut: a TCP relay on loopback.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One end to plug in, and a knife.
pub(super) struct Cable {
    /// Where the remote connects to.
    pub(super) end: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// A whole cable that leads to `to`.
    pub(super) async fn lay(to: SocketAddr) -> io::Result<Cable> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let end = listener.local_addr()?;
        let (whole, state) = watch::channel(true);
        actix::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *state.borrow() {
                    actix::spawn(carry(near, to, state.clone()));
                }
            }
        });
        Ok(Cable { end, whole })
    }

    /// Every connection breaks, and none comes to be until it is healed.
    pub(super) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Connections are possible again.
    pub(super) fn heal(&self) {
        self.whole.send_replace(true);
    }
}

async fn carry(mut near: TcpStream, to: SocketAddr, mut state: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = state.wait_for(|whole| !whole) => {}
    }
}
