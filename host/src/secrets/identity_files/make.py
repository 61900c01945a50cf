"""Makes the client certificates beside it. Run once, with OpenSSL 3 and its legacy provider: `python3 make.py`.

The certificates have the shape of those that Qlik Sense makes (a site's own authority, all RSA, "QlikClient" as the name of
every client); all but the expired one are valid until 2125. The files without a password come in two encodings, a text of no
length and no text at all; OpenSSL's command writes only the first, so the second is made with its library.
"""
import ctypes
import ctypes.util
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
PASSWORD = "Qlik-Expört 7%"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, cwd=HERE, capture_output=True)


def issue(work, name, subject, begin, end, *more):
    """A key and a certificate of the authority (or of itself, as the authority)."""
    config = work / "ca.cnf"
    (work / "index.txt").write_text("")
    (work / "serial").write_text({"root": "10", "client": "11", "expired": "12"}[name])
    config.write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndir={work}\ndatabase={work}/index.txt\nserial={work}/serial\nnew_certs_dir={work}\n"
        "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        "[root]\nbasicConstraints=critical,CA:TRUE\n[client]\n1.3.6.1.5.5.7.13.3=ASN1:UTF8String:Client\n"
    )
    key, request = work / f"{name}.key", work / f"{name}.csr"
    openssl("genrsa", "-out", key, 2048)
    openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
    openssl("ca", "-batch", "-notext", "-config", config, "-in", request, "-out", work / f"{name}.pem",
            "-startdate", begin, "-enddate", end, *more)


def absent(work, to, key_cipher, certificate_cipher):
    """A file whose password is no text at all."""
    lib = ctypes.CDLL(ctypes.util.find_library("crypto"))
    pointer = ctypes.c_void_p
    for name in ("BIO_new_file", "PEM_read_bio_PrivateKey", "PEM_read_bio_X509", "PKCS12_create",
                 "OSSL_PROVIDER_load"):
        getattr(lib, name).restype = pointer
    for provider in (b"legacy", b"default"):
        lib.OSSL_PROVIDER_load(None, provider)
    read = lambda file, reader: reader(pointer(lib.BIO_new_file(str(file).encode(), b"r")), None, None, None)
    key = pointer(read(work / "client.key", lib.PEM_read_bio_PrivateKey))
    certificate = pointer(read(work / "client.pem", lib.PEM_read_bio_X509))
    made = lib.PKCS12_create(None, b"QlikClient", key, certificate, None, lib.OBJ_txt2nid(key_cipher),
                             lib.OBJ_txt2nid(certificate_cipher), 2000, 2000, 0)
    out = pointer(lib.BIO_new_file(str(HERE / to).encode(), b"w"))
    assert made and lib.i2d_PKCS12_bio(out, pointer(made)) == 1
    lib.BIO_free(out)


def export(work, to, password, *more):
    openssl("pkcs12", "-export", "-inkey", work / "client.key", "-in", work / "client.pem", "-certfile",
            work / "root.pem", "-name", "QlikClient", "-passout", f"pass:{password}", "-out", to, *more)


def main():
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        far = ("20250101000000Z", "21250101000000Z")
        issue(work, "root", "/CN=SENSE-CA", *far, "-selfsign", "-keyfile", work / "root.key", "-extensions", "root")
        own = ("-cert", work / "root.pem", "-keyfile", work / "root.key", "-extensions", "client")
        issue(work, "client", "/CN=QlikClient", *far, *own)
        issue(work, "expired", "/CN=QlikClient", "20190101000000Z", "20200203000000Z", *own)
        crlf = lambda file: (work / file).read_text().replace("\n", "\r\n").encode()
        (HERE / "root.pem").write_bytes((work / "root.pem").read_bytes())
        (HERE / "client.pem").write_bytes(crlf("client.pem"))
        openssl("rsa", "-in", work / "client.key", "-traditional", "-out", work / "pkcs1.key")
        (HERE / "client_key.pem").write_bytes(crlf("pkcs1.key"))
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", work / "client.key", "-out", "client_key_pkcs8.pem")
        openssl("pkcs8", "-topk8", "-in", work / "client.key", "-passout", f"pass:{PASSWORD}", "-out",
                "client_key_encrypted.pem")
        for name, cipher in (("3des", "PBE-SHA1-3DES"), ("rc2", "PBE-SHA1-RC2-40"), ("md5", "PBE-MD5-DES")):
            openssl("pkcs8", "-topk8", "-v1", cipher, "-provider", "legacy", "-provider", "default", "-in",
                    work / "client.key", "-passout", f"pass:{PASSWORD}", "-out", f"client_key_pbe_{name}.pem")
        openssl("rsa", "-aes256", "-traditional", "-in", work / "client.key", "-passout", f"pass:{PASSWORD}", "-out",
                "client_key_dek.pem")
        rc2 = ("-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1")
        des = ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1")
        export(work, "rc2.pfx", PASSWORD, *rc2)
        export(work, "des3.pfx", PASSWORD, *des)
        export(work, "aes.pfx", PASSWORD)
        export(work, "other_password.pfx", "another")
        export(work, "empty_rc2.pfx", "", *rc2)
        export(work, "empty_des3.pfx", "", *des)
        export(work, "empty_aes.pfx", "")
        export(work, "bare.pfx", "", "-keypbe", "NONE", "-certpbe", "NONE", "-nomac")
        absent(work, "absent_rc2.pfx", b"PBE-SHA1-3DES", b"PBE-SHA1-RC2-40")
        absent(work, "absent_aes.pfx", b"AES-256-CBC", b"AES-256-CBC")
        export(work, "without_key.pfx", PASSWORD, "-nokeys")
        export(work, "rc4.pfx", PASSWORD, "-legacy", "-keypbe", "PBE-SHA1-RC4-128", "-certpbe", "PBE-SHA1-RC4-128",
               "-macalg", "sha1")
        openssl("pkcs12", "-export", "-inkey", work / "expired.key", "-in", work / "expired.pem", "-passout",
                f"pass:{PASSWORD}", "-out", "expired.pfx")


main()
