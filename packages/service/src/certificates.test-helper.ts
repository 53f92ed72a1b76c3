// Certificates for tests, made by openssl: an authority, a server on this machine, a client, and a client of nobody that is known.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Why there are none here; null where there are. */
export const noCertificates: string | null =
  spawnSync("openssl", ["version"]).status === 0
    ? null
    : "openssl is not installed (apt-get install openssl)";

/** Paths of PEM files. */
export interface Certificates {
  readonly authority: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
  readonly stranger: KeyPair;
}

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export function makeCertificates(folder: string): Certificates {
  const authority = selfSigned(folder, "authority");
  return {
    authority: authority.certificate,
    server: signed(folder, "server", authority),
    client: signed(folder, "client", authority),
    stranger: selfSigned(folder, "stranger"),
  };
}

const place = (folder: string, name: string): KeyPair => ({
  certificate: join(folder, `${name}.pem`),
  key: join(folder, `${name}.key`),
});

const elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];

function selfSigned(folder: string, name: string): KeyPair {
  const { certificate, key } = place(folder, name);
  openssl("req", "-x509", ...elliptic, "-keyout", key, "-out", certificate, "-subj", `/CN=${name}`);
  return { certificate, key };
}

function signed(folder: string, name: string, authority: KeyPair): KeyPair {
  const { certificate, key } = place(folder, name);
  const request = join(folder, `${name}.csr`);
  const names = join(folder, `${name}.names`);
  writeFileSync(names, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  openssl("req", ...elliptic, "-keyout", key, "-out", request, "-subj", `/CN=${name}`);
  openssl(
    ...["x509", "-req", "-in", request, "-out", certificate, "-days", "30", "-extfile", names],
    ...["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial"],
  );
  return { certificate, key };
}

function openssl(...words: string[]): void {
  const { status, stderr } = spawnSync("openssl", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
