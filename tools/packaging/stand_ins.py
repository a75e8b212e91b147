"""Stand-ins for shared libraries that libcurl is linked with and ebb never calls.

libcurl speaks LDAP, RTMP and Kerberos, knows cookies of public suffixes and names of hosts that are not ASCII; the libraries for these
bring a dozen others, 10 MB of code that HTTPS to an API server needs not. A stand-in has the names that libcurl wants of one,
and every function answers what libcurl takes for "cannot": an error, or nothing.
"""
import re
import subprocess

# Library -> what its functions answer.
UNUSED = {"librtmp.so.1": -1, "libldap-2.5.so.0": -1, "liblber-2.5.so.0": -1, "libgssapi_krb5.so.2": -1, "libidn2.so.0": 0,
          "libpsl.so.5": 0}


def symbols(path, which):
    """name -> version ("" for none) of dynamic symbols."""
    text = subprocess.run(["nm", "-D", which, str(path)], check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r" (?:\w) ([A-Za-z_]\w*)(?:@+([\w.]+))?$", text, re.M))


def make(user, library, out):
    """Writes `out`, what stands in for `library` (by the name that it is loaded by) where `user` loads it."""
    offered = symbols(library, "--defined-only")
    wanted = {name: offered[name] for name in symbols(user, "--undefined-only") if name in offered}
    assembler = [".text"]
    for name in sorted(wanted):
        assembler += [f".globl {name}", f".type {name},@function", f"{name}:", f"  mov ${UNUSED[library.name]}, %rax", "  ret"]
    assembler.append('.section .note.GNU-stack,"",@progbits')
    versions = {}
    for name, version in wanted.items():
        versions.setdefault(version, []).append(name)
    script = "".join(f"{version or 'EBB'} {{ global: {'; '.join(sorted(names))}; }};\n"
                     for version, names in sorted(versions.items()) if version)
    source, map_file = out.with_suffix(".s"), out.with_suffix(".map")
    source.write_text("\n".join(assembler) + "\n", encoding="ascii")
    map_file.write_text(script, encoding="ascii")
    mapped = [f"-Wl,--version-script={map_file}"] if script else []
    subprocess.run(["cc", "-shared", "-nostdlib", "-s", f"-Wl,-soname,{library.name}", *mapped, "-o", str(out), str(source)],
                   check=True)
    source.unlink()
    map_file.unlink()
