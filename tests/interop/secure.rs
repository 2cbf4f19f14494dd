//! Python's ssl module, which is OpenSSL, logs in over TLS as the AXI clients of the wild do: fifty times in a row by each
//! version of TLS, and none of them hangs. With session tickets every tenth would (axi 1.1).

use std::process::Command;
use std::time::Duration;

use crate::omm::{Omm, Place, Plan};
use crate::presence::needs;
use crate::process::Process;
use crate::processors::burdening_the_machine;
use crate::{address, presence};

/// A hundred logins on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Logs in with a wrong password fifty times by each version, reading as the clients do: from a select() loop on a
/// socket that does not block, which is where a ticket in the wrong moment leaves them waiting.
const LOGINS: &str = r#"
import select, socket, ssl, sys
host, port = sys.argv[1], int(sys.argv[2])
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    spoken = set()
    for turn in range(50):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        link = context.wrap_socket(socket.create_connection((host, port), 10))
        spoken.add(link.version())
        link.setblocking(False)
        link.sendall(b'<Ping seq="%d"/>\0' % turn)
        answer = b''
        while not answer.endswith(b'\0'):
            if not select.select([link], [], [], 10)[0]:
                sys.exit(f'{link.version()} hangs at login {turn}')
            try:
                answer += link.recv(4096)
            except ssl.SSLWantReadError:
                # A record that carried nothing to read, such as a ticket: where clients hang.
                sys.exit(f'{link.version()} sent a record without a message at login {turn}')
        if b'<PingResp seq="%d"' % turn not in answer:
            sys.exit(f'{answer!r} at login {turn}')
        link.setblocking(True)
        link.sendall(b'<Open seq="0" protocolVersion="45" username="sync" password="sync-secret" '
                     b'UserDeviceSyncClient="true" hmOmm="102AF12C" hmPlatform="pc" hmPli="31" '
                     b'hmClock="1790000000000" hmTrial="1"/>\0')
        answer = b''
        while not answer.endswith(b'\0'):
            got = link.recv(4096)
            if not got:
                sys.exit(f'closed after {answer!r} at login {turn}')
            answer += got
        if b'<OpenResp seq="0" protocolVersion="45"' not in answer:
            sys.exit(f'{answer!r} at login {turn}')
        link.close()
    print(sorted(spoken))
"#;

#[test]
fn python_logs_in_fifty_times_by_each_version_of_tls_and_never_hangs() {
    needs!("python3");
    let _processors = burdening_the_machine();
    let listen = (address::fresh(), crate::system::AXI).into();
    let place = Place::Central { listen, remotes: Vec::new() };
    // No SIP server is needed, only one that can be named.
    let pbx = "sip:127.0.0.1:9;transport=udp".to_owned();
    let mut central =
        Omm::start(Plan { name: "central", park: "1F102F0E86", sip: address::sip(), pbx, place });
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("python");
    let python = presence::find("python3").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(python);
    command.args(["-c", LOGINS, &listen.ip().to_string(), &listen.port().to_string()]);
    let ended = Process::start(&mut command, &log).end(PATIENCE);
    let told = std::fs::read_to_string(&log).unwrap_or_default();
    assert!(ended.success(), "{told}");
    assert_eq!(told, "['TLSv1.2']\n['TLSv1.3']\n");
    assert!(central.lives());
    // Nobody who only asked is on the list, and nobody was refused.
    let status = central.status().unwrap_or_default();
    assert_eq!(status["axi"]["refused"], 0, "{status}");
}
