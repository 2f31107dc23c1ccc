//! A way to a server that can be cut.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

/// Listens on a port of its own and carries all bytes to the server and back, until it is cut. Connections are lost then, and
/// new ones end at once.
pub struct Cable {
    /// Host and port to connect to in the server's place.
    pub address: String,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// To `server`: a host and a port, or the path of a socket.
    pub async fn to(server: &str) -> anyhow::Result<Self> {
        let (listener, server) = (TcpListener::bind("127.0.0.1:0").await?, server.to_owned());
        let address = listener.local_addr()?.to_string();
        let (whole, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut state, server) = (state.clone(), server.clone());
                if !*state.borrow() {
                    continue;
                }
                tokio::spawn(async move {
                    let carry = async {
                        if server.starts_with('/') {
                            copy_bidirectional(&mut near, &mut UnixStream::connect(server).await?).await
                        } else {
                            copy_bidirectional(&mut near, &mut TcpStream::connect(server).await?).await
                        }
                    };
                    tokio::select! {
                        _ = carry => {}
                        _ = state.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Ok(Self { address, whole })
    }

    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}
