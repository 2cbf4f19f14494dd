use super::*;

/// A zone in memory: `name kind fields..` a line; `name DEAD` makes every question about it fail.
pub(super) struct Zone(&'static str);

impl Zone {
    fn ask<T>(&self, name: &str, kind: &str, pick: impl Fn(&[&str]) -> T) -> Told<T> {
        let name = name.trim_end_matches('.');
        let lines = self.0.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut found = Vec::new();
        for line in lines.filter(|line| line.first() == Some(&name)) {
            match line.get(1) {
                Some(&"DEAD") => return Err("SERVFAIL".into()),
                Some(word) if *word == kind => found.push(pick(&line[2..])),
                _ => {}
            }
        }
        let life = (!found.is_empty()).then_some(if kind == "A" { 60 } else { 300 });
        Ok((found, life))
    }

    pub(super) fn addresses(&self, name: &str) -> Told<IpAddr> {
        self.ask(name, "A", |fields| fields[0].parse().expect("an address"))
    }

    pub(super) fn services(&self, name: &str) -> Told<Srv> {
        let number = |text: &str| text.parse().expect("a number");
        self.ask(name, "SRV", |fields| Srv {
            priority: number(fields[0]),
            weight: number(fields[1]),
            port: number(fields[2]),
            target: fields[3].into(),
        })
    }

    pub(super) fn pointers(&self, name: &str) -> Told<Naptr> {
        self.ask(name, "NAPTR", |fields| Naptr {
            order: fields[0].parse().expect("a number"),
            preference: fields[1].parse().expect("a number"),
            flags: fields[2].into(),
            services: fields[3].into(),
            replacement: fields[4].into(),
        })
    }
}

const ZONE: &str = "
    pbx A 192.0.2.1
    pbx A 192.0.2.2
    pbx A 192.0.2.1
    six A 2001:db8::6
    dual A 2001:db8::7
    dual A 192.0.2.7
    _sip._udp.site SRV 20 0 5062 pbx.
    _sip._udp.site SRV 10 0 5070 six.
    _sip._tcp.site SRV 10 0 5080 dual.
    site A 192.0.2.99
    _sip._tcp.tcponly SRV 1 1 5071 dual.
    tcponly A 192.0.2.98
    _sip._udp.closed SRV 0 0 0 .
    _sip._udp.half SRV 0 0 0 .
    _sip._tcp.half SRV 0 0 5072 pbx.
    closed A 192.0.2.97
    ill A 192.0.2.96
    _sip._udp.ill DEAD
    named NAPTR 20 1 s SIP+D2U _sip._udp.site.
    named NAPTR 10 9 S sip+d2t _sip._tcp.tcponly.
    named NAPTR 5 1 s SIPS+D2T _sips._tcp.site.
    named A 192.0.2.95
    secure NAPTR 10 1 s SIPS+D2T _sips._tcp.site.
    secure A 192.0.2.94
    _sips._tcp.secure SRV 10 0 5091 pbx.
    wsonly NAPTR 10 1 s SIP+D2W _sip._ws.wsonly.
    wsonly A 192.0.2.92
    _sips._tcp.site SRV 10 0 5061 dual.
    mail NAPTR 10 1 s SMTP+D2T _smtp._tcp.mail.
    mail A 192.0.2.93
    dead DEAD
";

fn at(uri: &str, v4_only: bool) -> String {
    let source = Source::Zone(Arc::new(Zone(ZONE)));
    let resolver = Resolver { source, seed: 1, v4_only };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    match runtime.block_on(resolver.resolve(&Server::read(uri).expect("a server"))) {
        Ok((targets, life)) if life.as_secs() == 60 || u64::from(u32::MAX) == life.as_secs() => {
            targets.iter().map(Target::to_string).collect::<Vec<_>>().join(" ")
        }
        Ok((_, life)) => format!("believed for {life:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_form_of_a_server_is_found_as_rfc_3263_says() {
    for (uri, expected) in [
        // Numbers need no DNS, and their port counts.
        ("sip:192.0.2.5", "udp:192.0.2.5:5060"),
        ("sip:192.0.2.5:5099;transport=tcp", "tcp:192.0.2.5:5099"),
        ("sip:[2001:db8::5]:5099", "udp:[2001:db8::5]:5099"),
        // A port means A/AAAA; twice the same address is once.
        ("sip:pbx:5065", "udp:192.0.2.1:5065 udp:192.0.2.2:5065"),
        ("sip:site:5065", "udp:192.0.2.99:5065"),
        // A transport means its SRV records, by priority; without any, A/AAAA.
        ("sip:site;transport=udp", "udp:[2001:db8::6]:5070 udp:192.0.2.1:5062 udp:192.0.2.2:5062"),
        ("sip:pbx;transport=tcp", "tcp:192.0.2.1:5060 tcp:192.0.2.2:5060"),
        // Neither: NAPTR, then every SRV, then A/AAAA over UDP.
        ("sip:tcponly", "tcp:[2001:db8::7]:5071 tcp:192.0.2.7:5071"),
        ("sip:pbx", "udp:192.0.2.1:5060 udp:192.0.2.2:5060"),
        ("sip:half", "tcp:192.0.2.1:5072 tcp:192.0.2.2:5072"),
        ("sip:mail", "udp:192.0.2.93:5060"),
        // sips: is TLS, from the SRV records of `_sips._tcp` or at 5061, whatever else is offered.
        ("sips:secure", "tls:192.0.2.1:5091 tls:192.0.2.2:5091"),
        ("sips:tcponly", "tls:192.0.2.98:5061"),
        ("sips:pbx:5099", "tls:192.0.2.1:5099 tls:192.0.2.2:5099"),
        ("sip:192.0.2.5;transport=tls", "tls:192.0.2.5:5061"),
        (
            "sip:named",
            "tls:[2001:db8::7]:5061 tls:192.0.2.7:5061 \
             tcp:[2001:db8::7]:5071 tcp:192.0.2.7:5071 \
             udp:[2001:db8::6]:5070 udp:192.0.2.1:5062 udp:192.0.2.2:5062",
        ),
    ] {
        assert_eq!(at(uri, false), expected, "{uri}");
    }
}

#[test]
fn what_cannot_be_reached_is_refused_and_not_guessed() {
    for (uri, expected) in [
        ("sip:nowhere", "the DNS knows no such server"),
        ("sip:dead", "the DNS does not answer: SERVFAIL"),
        ("sip:ill;transport=udp", "the DNS does not answer: SERVFAIL"),
        ("sip:closed;transport=udp", "the domain says that it has no SIP service"),
        ("sip:wsonly", "the domain offers only transports that this version does not speak"),
        ("sip:six:5060", "it has only IPv6 addresses, and [sip] listen is an IPv4 address"),
        ("sip:dual:5060", "udp:192.0.2.7:5060"),
    ] {
        assert_eq!(at(uri, true), expected, "{uri}");
    }
}
