"""What does harm to AXI servers, thrown at one: each line that is printed is one thing and what became of it.

hostile.py ADDRESS PORT plain|tls stranger|client FROM    the whole list
hostile.py ADDRESS PORT guess COUNT FROM                  wrong passwords, half of them over TLS; the plain port is below
"""
import socket
import ssl
import sys

host, port, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
enemy = sys.argv[5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE


def call(tls):
    link = socket.create_connection((host, port if tls else port - 1), 15, (enemy, 0))
    return context.wrap_socket(link) if tls else link


def message(link):
    answer = b""
    while not answer.endswith(b"\0"):
        got = link.recv(65536)
        if not got:
            raise EOFError(answer)
        answer += got
    return answer


def fate(link):
    """How the connection ended; what was said before that does not matter."""
    try:
        while link.recv(65536):
            pass
    except TimeoutError:
        return "still open"
    except (ssl.SSLError, ConnectionError):
        pass
    return "ended"


def say(link, data):
    try:
        link.sendall(data)
    except (ssl.SSLError, ConnectionError, BrokenPipeError):
        pass  # It has had enough already.


def guess(count):
    """Fifty at a time, and then a line is waited for: nobody hangs up before the guess was counted."""
    for first in range(0, count, 50):
        links = [call(turn % 2 == 1) for turn in range(50)]
        for turn, link in enumerate(links):
            say(link, b'<Open seq="0" username="exporter" password="guess %d"/>\0' % (first + turn))
        print("guessed", first + 50, flush=True)
        sys.stdin.readline()
        for link in links:
            link.close()


if way == "guess":
    guess(int(sys.argv[4]))
    sys.exit()

tls, client = way == "tls", sys.argv[4] == "client"


def enter():
    link = call(tls)
    if client:
        say(link, b'<Open seq="0" username="sync" password="sync-secret" UserDeviceSyncClient="true"/>\0')
        assert b"errCode" not in message(link)
    return link


entities = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">' + b"".join(
    b'<!ENTITY c%d "&b;&b;&b;&b;&b;&b;&b;&b;">' % n for n in range(8))
THINGS = {
    "an entity bomb": entities + b']><Open username="&c7;"/>\0',
    "a message without end": b"x" * 2_000_000,
    "an oversized frame": b'<Ping seq="1" timeStamp="' + b"1" * 2_000_000 + b'"/>\0',
    "a deep nest": b"<a>" * 10_000 + b"\0",
    "a deep nest that is closed": b"<a>" * 5_000 + b"</a>" * 5_000 + b"\0",
    "a flood of NULs": b"\0" * 200_000,
    "no UTF-8": b'<Ping seq="\xff\xfe"/>\0',
    "no XML": b"GET / HTTP/1.1\r\n\r\n\0",
    "a tag that is not closed": b"<a><b></a>\0",
    "an attribute twice": b'<Ping seq="1" seq="2"/>\0',
}
for what, data in THINGS.items():
    link = enter()
    say(link, data)
    print(f"{what}: {fate(link)}", flush=True)
    link.close()

if client:
    # Asks for everything again and again and reads nothing: what waits to be written is bounded.
    link = enter()
    link.settimeout(60)
    page = b'<GetPPUser seq="1" uid="0" maxRecords="20"/>\0' * 1_000
    try:
        for _ in range(400):
            link.sendall(page)
        told = "read to the end"
    except TimeoutError:
        told = "not read on"
    except (ssl.SSLError, ConnectionError, BrokenPipeError):
        told = "ended"
    print(f"answers that nobody reads: {told}", flush=True)
    link.close()

# A byte now and then, from as many as may come: the oldest stranger gives way to whoever comes.
loris = []
for turn in range(80):
    try:
        link = enter()
        say(link, b"<Ping seq")
        loris.append(link)
    except (EOFError, AssertionError, ssl.SSLError, ConnectionError):
        break
for link in loris:
    say(link, b"=")
print(f"slow ones: {len(loris)} held", flush=True)

if tls:
    def hello():
        """The first flight of a handshake."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        link = context.wrap_bio(incoming, outgoing)
        try:
            link.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return outgoing.read()

    # Cut in the middle of the first flight: more than may stand on the porch, the rest is hung up on at once.
    halves = []
    for _ in range(40):
        link = socket.create_connection((host, port), 15, (enemy, 0))
        say(link, hello()[:60])
        halves.append(link)
    print(f"half a handshake: {fate(halves[-1])}", flush=True)
    for link in halves:
        link.close()
    for what, data in {"no handshake": b"\x16\x03\x01\xff\xff" + b"\0" * 70_000, "a plain message": b'<Ping seq="1"/>\0'}.items():
        link = socket.create_connection((host, port), 15, (enemy, 0))
        say(link, data)
        print(f"{what}: {fate(link)}", flush=True)
        link.close()
    # A whole handshake, half a record, and gone without a farewell.
    for _ in range(20):
        link = socket.create_connection((host, port), 15, (enemy, 0))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secret = context.wrap_bio(incoming, outgoing)
        while True:
            try:
                secret.do_handshake()
                break
            except ssl.SSLWantReadError:
                link.sendall(outgoing.read())
                incoming.write(link.recv(65536))
        link.sendall(outgoing.read())
        secret.write(b'<Open seq="0" username="sync" password="sync-secret"/>\0' * 100)
        record = outgoing.read()
        link.sendall(record[: len(record) // 2])
        link.close()
    print("half a record: left", flush=True)
