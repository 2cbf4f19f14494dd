//! A client that offers `AES256-GCM-SHA384` and no other suite, as one family does (axi 1.1), logs in over TLS where the site
//! listens for it, and nowhere else. It takes a build with OpenSSL: `cargo test --features openssl --test interop static_rsa`.

use std::process::Command;
use std::time::Duration;

use crate::omm::{Omm, Place, Plan};
use crate::presence::needs;
use crate::process::Process;
use crate::{address, presence};

/// Twenty logins on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where the site listens for such clients; ours.
const STATIC_RSA: u16 = 12_623;

/// The handshake of that family: TLS 1.2, one suite, no look at the certificate. It takes one record for one message, and
/// strips one NUL.
const LOGINS: &str = r#"
import socket, ssl, sys
host, there, elsewhere = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
context = ssl.SSLContext(ssl.PROTOCOL_TLSv1_2)
context.verify_mode = ssl.CERT_NONE
context.set_ciphers('AES256-GCM-SHA384')
for turn in range(20):
    link = context.wrap_socket(socket.create_connection((host, there), 10))
    for request, answer in (
        (b'<Open username="sync" password="sync-secret" UserDeviceSyncClient="true"/>', b'<OpenResp protocolVersion="45" '),
        (b'<GetVersions/>', b'<GetVersionsResp '),
        (b'<GetPPUser seq="0" uid="0" maxRecords="20"/>', b'<GetPPUserResp seq="0">'),
    ):
        link.send(request + b'\0')
        heard = link.recv(65536)
        if not heard.startswith(answer) or heard.index(b'\0') != len(heard) - 1:
            sys.exit(f'{heard!r} to {request!r} at login {turn}')
    suite = link.cipher()[0], link.version()
    link.close()
print(*suite)
try:
    context.wrap_socket(socket.create_connection((host, elsewhere), 10))
    print('it is served elsewhere')
except ssl.SSLError as refused:
    print(refused.reason)
"#;

#[test]
fn a_client_that_knows_static_rsa_alone_logs_in_where_the_site_listens_for_it() {
    needs!("python3");
    let listen = (address::fresh(), crate::system::AXI).into();
    let place = Place::Central { listen, remotes: Vec::new() };
    // No SIP server is needed, only one that can be named.
    let pbx = "sip:127.0.0.1:9;transport=udp".to_owned();
    let plan = Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx, place };
    let also = format!("listen_static_rsa = \"{}:{STATIC_RSA}\"\nlisten_plain", listen.ip());
    let mut central = Omm::start_told(plan, |file| file.replacen("listen_plain", &also, 1));
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("python");
    let mut command = Command::new(presence::find("python3").unwrap_or_else(|| "python3".into()));
    let [there, elsewhere] = [STATIC_RSA, listen.port()].map(|port| port.to_string());
    command.args(["-W", "ignore", "-c", LOGINS, &listen.ip().to_string(), &there, &elsewhere]);
    let ended = Process::start(&mut command, &log).end(PATIENCE);
    let told = std::fs::read_to_string(&log).unwrap_or_default();
    assert!(ended.success(), "{told}\n{}", central.log());
    assert_eq!(told, "AES256-GCM-SHA384 TLSv1.2\nSSLV3_ALERT_HANDSHAKE_FAILURE\n");
    assert!(central.lives());
}
