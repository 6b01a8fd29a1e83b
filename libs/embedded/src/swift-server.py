"""The four servers of OpenStack Swift in one process, with its S3 interface. Started by swift.ts.

Usage: swift-server.py PORT ACCESS_KEY PASSWORD_FILE, in the folder of its files, which may be empty. PORT 0 is any free one of
127.0.0.1; the line "listening on PORT" on standard output tells which. All paths stay relative to the working directory, so that
none can be too long or hold a character that means something to Swift.

The rings are built anew at each start: there is one disk, so a file's place does not depend on the ports that the kernel gave.
"""

import errno
import json
import logging
import os
import socket
import sys
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
os.environ["TZ"] = "UTC+0"
time.tzset()
# Its resolver for green threads takes most of a second to load, and there are no names here.
os.environ["EVENTLET_NO_GREENDNS"] = "yes"
# The tests survive a SIGKILL of this process, not a power cut. Before Swift is imported: its modules keep what they find.
os.fsync = os.fdatasync = lambda descriptor: None

from swift.common import utils  # noqa: E402


def log_to_stderr(*_arguments, **_options):
    return logging.StreamHandler(sys.stderr)


# Swift logs to the system's logger, in later releases from a module of its own.
for module in (utils, getattr(utils, "logs", None)):
    if hasattr(module, "ThreadSafeSysLogHandler"):
        module.ThreadSafeSysLogHandler = log_to_stderr

utils.eventlet_monkey_patch()

import eventlet  # noqa: E402
import eventlet.wsgi  # noqa: E402

eventlet.hubs.use_hub(utils.get_hub())
eventlet.debug.hub_exceptions(False)

DISK = "disk"
DISKS_FOLDER = "disks"
HASH_SUFFIX = "omnizap"
BIND_SECONDS = 10
# What the disk holds is a matter of the tests: Swift would refuse to write to a full one long before it is.
SERVER_SETTINGS = {
    "swift_dir": ".",
    "devices": DISKS_FOLDER,
    "mount_check": "false",
    "disable_fallocate": "true",
    "fallocate_reserve": "0",
    "log_level": "WARNING",
}


class ProcessCache:
    """What Swift wants of memcached, for the one process that there is."""

    def __init__(self):
        self.entries = {}

    def get(self, key, **_options):
        value, expires_at = self.entries.get(key, (None, 0))
        return json.loads(value) if value is not None and time.monotonic() < expires_at else None

    def set(self, key, value, time=0, **_options):  # Swift names it so
        self.entries[key] = (json.dumps(value), monotonic_after(time))

    def delete(self, key, **_options):
        self.entries.pop(key, None)

    def incr(self, key, delta=1, time=0, **_options):
        value = max(0, (self.get(key) or 0) + int(delta))
        self.set(key, value, time=time)
        return value

    def decr(self, key, delta=1, time=0, **options):
        return self.incr(key, delta=-int(delta), time=time, **options)

    def get_multi(self, keys, *_arguments, **_options):
        return [self.get(key) for key in keys]

    def set_multi(self, mapping, *_arguments, time=0, **_options):
        for key, value in mapping.items():
            self.set(key, value, time=time)


def monotonic_after(seconds):
    return time.monotonic() + seconds if seconds else float("inf")


def listen(port):
    """Waits for a port that its last holder has not quite given back."""
    deadline = time.monotonic() + BIND_SECONDS
    while True:
        try:
            sock = eventlet.listen(("127.0.0.1", port), backlog=512, reuse_port=False)
            # Inherited by its connections: an answer's last part would else wait for the client's delayed acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError:
            if port == 0 or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def write_ring(kind, port):
    from swift.common.ring import RingBuilder

    builder = RingBuilder(4, 1, 1)
    place = {"region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port, "device": DISK}
    builder.add_dev({"id": 0, "meta": "", "replication_ip": "127.0.0.1", "replication_port": port, **place})
    builder.rebalance()
    builder.get_ring().save(f"{kind}.ring.gz")


def build_proxy(access_key, secret):
    from swift.common.middleware import catch_errors, copy, dlo, gatekeeper, listing_formats, slo, tempauth
    from swift.common.middleware.s3api import s3api
    from swift.proxy import server

    # Swift would read settings of single policies from its own section of a file.
    settings = {**SERVER_SETTINGS, "__file__": os.devnull, "__name__": "proxy-server", "account_autocreate": "true"}
    app = server.app_factory(settings)
    account, user = access_key.split(":")
    # The last one sees a request first.
    for factory, options in (
        (copy.filter_factory, {}),
        (dlo.filter_factory, {}),
        (slo.filter_factory, {}),
        (tempauth.filter_factory, {f"user_{account}_{user}": f"{secret} .admin"}),
        (s3api.filter_factory, {"location": "us-east-1", "s3_acl": "false"}),
        (listing_formats.filter_factory, {}),
        (gatekeeper.filter_factory, {}),
        (catch_errors.filter_factory, {}),
    ):
        app = factory(SERVER_SETTINGS, **options)(app)
    cache = ProcessCache()

    def answer(environment, start_response):
        if not is_signed(environment):
            return refuse(start_response)
        environment["swift.cache"] = cache
        return app(environment, start_response)

    return answer


def is_signed(environment):
    query = environment.get("QUERY_STRING", "")
    return "HTTP_AUTHORIZATION" in environment or "X-Amz-Algorithm=" in query or "AWSAccessKeyId=" in query


def refuse(start_response):
    """As S3 does. Swift would take a request without any signature for one of its own interface, and its path for a wrong one."""
    body = b"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"
    start_response("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def serve(sock, app):
    from swift.common.wsgi import SwiftHttpProtocol

    eventlet.wsgi.server(
        sock,
        app,
        logging.getLogger("requests-are-not-logged"),
        protocol=SwiftHttpProtocol,
        log_output=False,
        # S3's clients look for "ETag".
        capitalize_response_headers=False,
    )


def has_user_attributes():
    try:
        os.setxattr(".", "user.omnizap", b"1")
    except OSError:
        return False
    return True


class InodeAttributes:
    """User attributes for file systems without (tmpfs before Linux 6.6): files of their own, by the inode of the one they describe."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def place_of(self, item, name):
        described = os.stat(item.fileno() if hasattr(item, "fileno") else item)
        return os.path.join(self.folder, f"{described.st_ino}-{name.decode()}")

    def getxattr(self, item, name):
        place = self.place_of(item, name)
        try:
            with open(place, "rb") as file:
                return file.read()
        except FileNotFoundError:
            # Not ENOENT, which would say that the object is missing.
            raise OSError(errno.ENODATA, "no such attribute") from None

    def setxattr(self, item, name, value):
        with open(self.place_of(item, name), "wb") as file:
            file.write(value)


def main(port, access_key, password_file):
    os.makedirs(os.path.join(DISKS_FOLDER, DISK), exist_ok=True)
    with open("swift.conf", "w") as file:
        file.write(f"[swift-hash]\nswift_hash_path_suffix = {HASH_SUFFIX}\n")
    with open(password_file) as file:
        secret = file.read().strip()
    utils.set_swift_dir(".")

    from swift.account import server as account
    from swift.container import server as container
    from swift.obj import diskfile
    from swift.obj import server as objects

    if not has_user_attributes():
        diskfile.xattr = InodeAttributes("attributes")

    storage = {"account": account, "container": container, "object": objects}
    sockets = {kind: listen(0) for kind in storage}
    for kind, sock in sockets.items():
        write_ring(kind, sock.getsockname()[1])
    for kind, module in storage.items():
        eventlet.spawn(serve, sockets[kind], module.app_factory(SERVER_SETTINGS))

    front = listen(int(port))
    print(f"listening on {front.getsockname()[1]}", flush=True)
    serve(front, build_proxy(access_key, secret))


main(*sys.argv[1:])
