//! A real AXI client, as its authors published it, works with homing.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::omm::{Omm, Place, Plan, plain};
use crate::presence::needs;
use crate::processors::burdening_the_machine;
use crate::{address, poll, presence};

/// How long what was said may take to have its effect.
const SOON: Duration = Duration::from_secs(10);

/// A site without a PBX: nobody here registers.
pub(crate) fn site() -> (Omm, SocketAddr) {
    let listen = SocketAddr::from((address::fresh(), crate::system::AXI));
    let place = Place::Central { listen, remotes: Vec::new() };
    let pbx = format!("sip:{}:9;transport=udp", address::fresh());
    (Omm::start(Plan { name: "alone", park: "1F102F0E86", sip: address::sip(), pbx, place }), listen)
}

/// `ommclient2`, which always dials port 12621.
pub(crate) struct Client {
    host: String,
}

impl Client {
    /// A client of the OMM at this address.
    pub(crate) fn new(at: SocketAddr) -> Client {
        Client { host: at.ip().to_string() }
    }

    fn run(&self, password: &str, words: &str) -> Output {
        let program = presence::find("ommclient2").unwrap_or_else(|| "ommclient2".into());
        let mut command = Command::new("timeout");
        command.args(["30"]).arg(program).args(["-n", &self.host, "-u", "sync", "-p", password]);
        command.args(words.split_whitespace()).output().unwrap_or_else(|e| panic!("ommclient2: {e}"))
    }

    /// What a command prints.
    ///
    /// # Panics
    /// It fails.
    pub(crate) fn does(&self, words: &str) -> String {
        let output = self.run("sync-secret", words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{words}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// What a command says when it fails.
    pub(crate) fn fails(&self, words: &str) -> String {
        let output = self.run("sync-secret", words);
        assert_eq!(output.status.code(), Some(1), "{words}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Whether a printed record has this value under this name.
pub(crate) fn has(printed: &str, name: &str, value: &str) -> bool {
    printed
        .lines()
        .any(|line| line.split_once(char::is_whitespace).is_some_and(|(n, v)| n == name && v.trim() == value))
}

#[test]
fn every_command_of_the_published_client_does_what_it_says() {
    needs!("ommclient2");
    let _processors = burdening_the_machine();
    let (omm, listen) = site();
    let client = Client::new(plain(listen));
    assert_eq!(client.does("ping").trim(), "pong");
    assert_eq!(client.does("get_users").matches("PPUserType").count(), 3);
    assert_eq!(client.does("get_devices").matches("PPDevType").count(), 3);
    assert!(has(&client.does("get_user 1"), "relType", "Fixed"));
    assert!(has(&client.does("get_account 1"), "username", "sync"));
    assert!(client.does("get_publickey").contains("65537"));
    assert!(client.does("encrypt geheim").trim().len() > 64);

    // What is written is read back.
    assert!(has(&client.does("create_user 200"), "uid", "4"));
    client.does("set_user_name 4 Ada");
    client.does("set_user_num 4 201");
    client.does("set_user_sipauth 4 ada geheim");
    let ada = client.does("get_user 4");
    for (name, value) in [("name", "Ada"), ("num", "201"), ("sipAuthId", "ada"), ("relType", "Unbound")] {
        assert!(has(&ada, name, value), "{name}={value}: {ada}");
    }
    assert!(client.fails("create_user 201").contains("EExist"));
    assert!(client.fails("get_user 5").contains("ENoEnt"));

    // Who is with which handset.
    client.does("set_user_relation_dynamic 1");
    assert!(has(&client.does("get_user 1"), "relType", "Dynamic"));
    client.does("set_user_relation_fixed 1");
    assert!(client.fails("attach_user_device 4 1").contains("EPerm"), "it needs a sync client");
    client.does("--ommsync detach_user_device 1 1");
    client.does("--ommsync attach_user_device 4 1");
    assert!(has(&client.does("get_user 4"), "ppn", "1") && has(&client.does("get_device 1"), "uid", "4"));
    client.does("--ommsync detach_user_device_by_user 4");
    client.does("--ommsync attach_user_device 4 1");
    client.does("--ommsync detach_user_device_by_device 1");
    assert!(has(&client.does("get_device 1"), "relType", "Unbound"));

    let stranger = client.run("guess", "ping");
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("EAuth"), "{stranger:?}");
    let refused = || omm.status().and_then(|status| status["axi"]["refused"].as_u64());
    poll::until(SOON, "the wrong password is counted", refused, |count| *count == Some(1));
}

/// A TLS client that logs in 200 times in a row and asks for the time, with what Python brings along.
const LOGINS: &str = r#"
import socket, ssl, sys
host, port = sys.argv[1], int(sys.argv[2])
context = ssl._create_unverified_context()
for n in range(200):
    with socket.create_connection((host, port), 30) as plain, context.wrap_socket(plain) as link:
        def ask(text):
            link.sendall(text.encode() + b"\0")
            answer = b""
            while not answer.endswith(b"\0"):
                answer += link.recv(65536)
            return answer
        answer = ask(f'<Open username="sync" password="sync-secret" seq="{n}"/>')
        assert answer.startswith(b'<OpenResp seq="%d" protocolVersion="45"' % n), answer
        answer = ask('<Ping seq="0"/>')
        assert answer.startswith(b'<PingResp seq="0" timeStamp='), answer
print("all of them", ssl.OPENSSL_VERSION)
"#;

#[test]
fn two_hundred_logins_over_tls_in_a_row_are_answered() {
    needs!("python3");
    let _processors = burdening_the_machine();
    let (_omm, listen) = site();
    let output = Command::new("timeout")
        .args(["120", "python3", "-c", LOGINS, &listen.ip().to_string(), &listen.port().to_string()])
        .output()
        .unwrap_or_else(|e| panic!("python3: {e}"));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.starts_with("all of them"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

/// A connection from an address of its own, so that what it does is not laid to others.
fn connection(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let link = socket(AddressFamily::INET, SocketType::STREAM, None)
        .and_then(|link| bind(&link, &SocketAddr::from((from, 0))).map(|()| link))
        .and_then(|link| connect(&link, &to).map(|()| link));
    let link = TcpStream::from(link.unwrap_or_else(|e| panic!("a connection from {from}: {e}")));
    link.set_read_timeout(Some(SOON)).unwrap_or_else(|e| panic!("a timeout: {e}"));
    link
}

/// The next message on a connection, without its NUL.
fn hear(link: &mut TcpStream) -> String {
    let (mut message, mut byte) = (Vec::new(), [0]);
    while link.read_exact(&mut byte).is_ok() && byte != [0] {
        message.push(byte[0]);
    }
    String::from_utf8_lossy(&message).into_owned()
}

fn say(link: &mut TcpStream, message: &str) {
    link.write_all(format!("{message}\0").as_bytes()).unwrap_or_else(|e| panic!("{message}: {e}"));
}

/// What mitel-api sends when it starts (axi 7), and what it is told of what another client does.
#[test]
fn a_sync_client_hears_of_what_another_client_changes() {
    needs!("ommclient2");
    let (_omm, listen) = site();
    let (client, at) = (Client::new(plain(listen)), plain(listen));
    let mut link = connection(address::fresh(), at);
    say(
        &mut link,
        "<Open seq=\"1\" username=\"sync\" password=\"sync-secret\" UserDeviceSyncClient=\"true\" />",
    );
    assert!(hear(&mut link).starts_with("<OpenResp seq=\"1\" protocolVersion=\"45\""));
    say(
        &mut link,
        "<Subscribe seq=\"2\"><e cmd=\"On\" eventType=\"PPDevCnf\" ppn=\"-1\" />\
         <e cmd=\"On\" eventType=\"DECTSubscriptionMode\" /><e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"-1\" /></Subscribe>",
    );
    assert_eq!(hear(&mut link), "<SubscribeResp seq=\"2\"/>");
    say(&mut link, "<SetDECTSubscriptionMode seq=\"3\" mode=\"Configured\" timeout=\"3\" />");
    assert_eq!(hear(&mut link), "<SetDECTSubscriptionModeResp seq=\"3\"/>");
    assert_eq!(hear(&mut link), "<EventDECTSubscriptionMode mode=\"Configured\"/>");
    say(&mut link, "<GetPPUser seq=\"4\" uid=\"0\" maxRecords=\"20\" />");
    assert_eq!(hear(&mut link).matches("<user ").count(), 3);
    say(&mut link, "<GetPPUser seq=\"5\" uid=\"4\" maxRecords=\"20\" />");
    assert_eq!(hear(&mut link), "<GetPPUserResp seq=\"5\" errCode=\"ENoEnt\"/>");

    client.does("create_user 200");
    let made = hear(&mut link);
    assert!(made.starts_with("<EventPPCnf><user uid=\"4\"") && made.contains(" num=\"200\""), "{made}");
    client.does("set_user_name 4 Ada");
    let named = hear(&mut link);
    assert!(named.contains(" name=\"Ada\"") && !named.contains(" num="), "changed attributes only: {named}");
    say(&mut link, "<DeletePPUser seq=\"6\" uid=\"4\"/>");
    assert_eq!(hear(&mut link), "<DeletePPUserResp seq=\"6\"/>", "the response comes first");
    assert_eq!(hear(&mut link), "<EventPPCnf deletedUser=\"1\"><user uid=\"4\" uidSec=\"0\"/></EventPPCnf>");
}

/// Whoever brings in ten thousand users must not have all of them counted for each.
#[test]
fn a_burst_of_new_users_is_counted_fewer_times_than_there_are_users() {
    let _processors = burdening_the_machine();
    let (_omm, listen) = site();
    let mut link = connection(address::fresh(), plain(listen));
    say(
        &mut link,
        "<Open seq=\"1\" username=\"sync\" password=\"sync-secret\" UserDeviceSyncClient=\"true\"/>",
    );
    assert!(hear(&mut link).starts_with("<OpenResp seq=\"1\" protocolVersion"));
    say(&mut link, "<Subscribe seq=\"2\"><e cmd=\"On\" eventType=\"PPUserSummary\"/></Subscribe>");
    assert_eq!(hear(&mut link), "<SubscribeResp seq=\"2\"/>");
    for number in 200..250 {
        say(&mut link, &format!("<CreatePPUser seq=\"3\"><user num=\"{number}\"/></CreatePPUser>"));
    }
    let (mut made, mut counts) = (0, Vec::new());
    // The three of the file and the fifty.
    while made < 50 || !counts.last().is_some_and(|count: &String| count.contains(" nRecords=\"53\"")) {
        let heard = hear(&mut link);
        assert!(!heard.is_empty(), "{made} made; {counts:?}");
        if heard.starts_with("<EventPPUserSummary ") {
            counts.push(heard);
        } else {
            assert!(
                heard.starts_with("<CreatePPUserResp seq=\"3\"") && !heard.contains("errCode"),
                "{heard}"
            );
            made += 1;
        }
    }
    assert!((1..50).contains(&counts.len()), "{counts:?}");
}
