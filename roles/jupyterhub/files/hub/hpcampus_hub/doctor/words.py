# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""All that the doctor can say: for each case its verdict, what was seen, and the cure with the exact command or variable."""

from collections.abc import Sequence

from hpcampus_hub.protocol import shown

from .finding import Said, Verdict

OK, WARNING, BROKEN, NOT_TRIED = Verdict.OK, Verdict.WARNING, Verdict.BROKEN, Verdict.NOT_TRIED

SYSTEM_CASES = "walk"
"""Cases of this prefix belong to the walk itself and not to one leg."""

CASES: dict[str, tuple[Verdict, str, str]] = {
    "walk.needs": (NOT_TRIED, "needs {leg}", ""),
    "walk.late": (
        BROKEN,
        "no answer within {seconds} s",
        "See whether the host is overloaded (uptime) or a firewall drops packets without a word; the leg is {leg}.",
    ),
    "walk.unforeseen": (
        BROKEN,
        "{kind}: {error}",
        "Nobody foresaw this: look at the part that the leg {leg} names in docs/troubleshooting.md.",
    ),
    # --- the hub, from outside to inside ---
    "settings.good": (OK, "clusters: {clusters}; profiles: {profiles}", ""),
    "settings.broken": (
        BROKEN,
        "{error}",
        "Mend what is named (mostly a file in /etc/jupyterhub/local.d), try it with hpcampus-hub-check, then: systemctl restart jupyterhub",
    ),
    "settings.no-cluster": (
        BROKEN,
        "no cluster is configured, so no notebook can start",
        "Name the hosts of a cluster in the inventory, then: hpcampus apply",
    ),
    "name.good": (OK, "{host} is {addresses}", ""),
    "name.unknown": (
        BROKEN,
        "{host} has no address: {error}",
        "Let the DNS give {host} the address of this host, or correct site_hub_name and run: hpcampus apply --from hub",
    ),
    "name.no-url": (
        NOT_TRIED,
        "needs the public address",
        "Set site_public_url and run: hpcampus apply --step hub; or try another address: hpcampus-doctor --url https://NAME/",
    ),
    "port.good": (OK, "{host}:{port} accepts connections", ""),
    "port.refused": (
        BROKEN,
        "{host}:{port} refuses connections",
        "Start the web server: systemctl restart apache2; if it does not start: apachectl configtest",
    ),
    "port.silent": (
        BROKEN,
        "{host}:{port} cannot be reached: {error}",
        "Open TCP port {port} of {host} in the firewall, and see that the name leads to this host.",
    ),
    "certificate.good": (OK, "good for {host} until {until} ({days} days), issued by {issuer}", ""),
    "certificate.self-signed": (
        OK,
        "good for {host} until {until} ({days} days); self-signed, so that browsers ask first",
        "",
    ),
    "certificate.soon": (
        WARNING,
        "ends in {days} days, on {until}",
        (
            "Renew the certificate; a provided one: replace the files of apache_certificate_file and apache_certificate_key_file, then: "
            "hpcampus apply --step apache"
        ),
    ),
    "certificate.expired": (
        BROKEN,
        "expired on {until}, {days} days ago",
        (
            "Renew the certificate; a provided one: replace the files of apache_certificate_file and apache_certificate_key_file, then: "
            "hpcampus apply --step apache"
        ),
    ),
    "certificate.early": (
        BROKEN,
        "good only from {since} on",
        "Set the clock of this host (timedatectl); if it is right, the certificate was made with a wrong one: make a new one.",
    ),
    "certificate.name": (
        BROKEN,
        "is for {names}, not for {host}",
        "Get a certificate that names {host}, or correct site_hub_name; then: hpcampus apply --step apache",
    ),
    "certificate.chain": (
        BROKEN,
        "issued by {issuer}, whom this host does not trust ({error})",
        (
            "Put the intermediate certificates below the host's own into apache_certificate_file; for an authority of the site, name it "
            "in site_ca_certificates; then: hpcampus apply"
        ),
    ),
    "certificate.none": (
        BROKEN,
        "no TLS on {host}:{port}: {error}",
        "See that Apache's site is on (a2query -s hpcampus) and run: hpcampus apply --step apache",
    ),
    "apache.good": (OK, "{url} answers {status}", ""),
    "apache.passes-on": (OK, "Apache answers; what lies behind it says {status}", ""),
    "apache.status": (
        BROKEN,
        "{url} answers {status}, the proxy behind it 200",
        "Run: hpcampus apply --step apache; if it stays, the last lines of /var/log/apache2/hpcampus-error.log say why.",
    ),
    "apache.closed": (
        BROKEN,
        "{url} gives no answer: {error}",
        "See /var/log/apache2/hpcampus-error.log, then: systemctl restart apache2",
    ),
    "proxy.good": (OK, "127.0.0.1:{port} answers {status}", ""),
    "proxy.closed": (
        BROKEN,
        "127.0.0.1:{port} gives no answer: {error}",
        "Start the proxy: systemctl restart jupyterhub-proxy; if it does not stay: journalctl -u jupyterhub-proxy -n 50",
    ),
    "hub.good": (OK, "127.0.0.1:{port} is healthy, also through the proxy", ""),
    "hub.closed": (
        BROKEN,
        "127.0.0.1:{port} gives no answer: {error}",
        "Start the hub: systemctl restart jupyterhub; if it does not stay: journalctl -u jupyterhub -n 50",
    ),
    "hub.status": (
        BROKEN,
        "127.0.0.1:{port} answers {status}",
        "Read why: journalctl -u jupyterhub -n 50; then: systemctl restart jupyterhub",
    ),
    "hub.not-behind-proxy": (
        BROKEN,
        "healthy on 127.0.0.1:{port}, but {status} through the proxy",
        "The proxy has lost the way to the hub: systemctl restart jupyterhub-proxy jupyterhub",
    ),
    "api-port.good": (OK, "127.0.0.1:{port}, where jobs reach the hub, leads to it", ""),
    "api-port.closed": (
        BROKEN,
        "127.0.0.1:{port}, where jobs reach the hub, gives no answer: {error}",
        "Run: hpcampus apply --step apache; if it stays: systemctl restart apache2",
    ),
    "api-port.status": (
        BROKEN,
        "127.0.0.1:{port}, where jobs reach the hub, answers {status}, the hub itself 200",
        "Run: hpcampus apply --step apache; if it stays, the last lines of /var/log/apache2/hpcampus-error.log say why.",
    ),
    "courses.good": (OK, "{url} is healthy, also on the way of jobs", ""),
    "courses.none": (NOT_TRIED, "needs the course service", "Run: hpcampus apply --step courses"),
    "courses.closed": (
        BROKEN,
        "{url} gives no answer: {error}",
        "Start the course service: systemctl restart hpcampus-courses; if it does not stay: journalctl -u hpcampus-courses -n 50",
    ),
    "courses.status": (
        BROKEN,
        "{url} answers {status}",
        "Read why: journalctl -u hpcampus-courses -n 50; then: systemctl restart hpcampus-courses",
    ),
    "courses.no-way": (
        BROKEN,
        "healthy, but jobs get {status} on 127.0.0.1:{port}",
        "Run: hpcampus apply --step apache; if it stays, the last lines of /var/log/apache2/hpcampus-error.log say why.",
    ),
    "services.good": (OK, "active: {units}", ""),
    "services.down": (
        BROKEN,
        "{units}",
        "Start it: systemctl restart {first}; if it does not stay: journalctl -u {first} -n 50",
    ),
    "services.unknown": (
        NOT_TRIED,
        "needs systemctl, which says: {error}",
        "Run the doctor as root: sudo hpcampus-doctor",
    ),
    "database.good": (OK, "{database} can be written", ""),
    "database.missing": (
        BROKEN,
        "{database} is not there",
        "Bring it back from a backup, or let the hub make a new one: systemctl restart jupyterhub",
    ),
    "database.locked": (
        BROKEN,
        "{database} is locked by another process",
        "Find the process that holds it (fuser -v on the file) and end it; a backup must not hold the database open.",
    ),
    "database.closed": (
        BROKEN,
        "{database} cannot be opened: {error}",
        "Start the database, and see that /etc/jupyterhub/secrets/db_url (jupyterhub_db_url) names it rightly.",
    ),
    "database.read-only": (
        BROKEN,
        "{database} cannot be written: {error}",
        (
            "Give it back to its account: chown -R jupyterhub: /var/lib/jupyterhub, chmod u+w on the file; PostgreSQL: no standby, and "
            "the hub's role owns the tables."
        ),
    ),
    "disk.good": (OK, "{free} free in {path}", ""),
    "disk.low": (
        WARNING,
        "only {free} free in {path}",
        "Make room soon: journalctl --vacuum-size=200M, old backups, or a larger disk.",
    ),
    "disk.full": (
        BROKEN,
        "{free} and {files} new files left in {path}",
        "Make room now: journalctl --vacuum-size=200M, old backups, or a larger disk; then: systemctl restart jupyterhub",
    ),
    "disk.missing": (
        BROKEN,
        "{path} is not there: {error}",
        "Mount it again, or let the step make it: hpcampus apply --step hub",
    ),
    # --- the way back to the hub ---
    "ports.good": (OK, "{used} of {count} tunnel ports in use", ""),
    "ports.few": (
        WARNING,
        "{used} of {count} tunnel ports in use",
        "Widen the range tunnel_port_min to tunnel_port_max, then: hpcampus apply --from tunnel",
    ),
    "ports.none": (
        BROKEN,
        "{error}",
        "Run: hpcampus apply --step tunnel; if all ports are in use, widen tunnel_port_min to tunnel_port_max first.",
    ),
    "signer.good": (OK, "signed a certificate for port {port}", ""),
    "signer.broken": (
        BROKEN,
        "{error}",
        "Run: systemctl restart hpcampus-signer.socket hpcampus-signer.service; why it refuses: journalctl -u hpcampus-signer -n 20",
    ),
    "signer.other-ca": (
        BROKEN,
        "signs with another key than the one in {path} that sshd trusts",
        "Run: hpcampus apply --step tunnel; it writes the authority's public key for sshd again.",
    ),
    "sshd.good": (OK, "holds {user} to one port and no shell", ""),
    "sshd.other": (
        BROKEN,
        "does not hold {user} to: {facts}",
        (
            "Look for another Match block in /etc/ssh/sshd_config.d that comes before 50-hpcampus-tunnel.conf; "
            "then: hpcampus apply --step tunnel"
        ),
    ),
    "sshd.everybody": (
        BROKEN,
        "the authority of the tunnels counts for every user",
        (
            "Take TrustedUserCAKeys {path} out of the files in /etc/ssh/sshd_config.d except 50-hpcampus-tunnel.conf; "
            "then: systemctl reload ssh"
        ),
    ),
    "sshd.failed": (
        BROKEN,
        "sshd cannot read its configuration: {error}",
        "Mend the line that sshd -t names, then: systemctl reload ssh",
    ),
    "sshd.no-root": (NOT_TRIED, "needs root", "Run the doctor as root: sudo hpcampus-doctor"),
    "tunnel.good": (OK, "{host}:{port} lets a certificate listen on port {listen} and nowhere else", ""),
    "tunnel.host-key": (
        BROKEN,
        "{host}:{port} shows another host key than jobs are told to expect",
        "If sshd's host keys were renewed on purpose, tell the jobs: hpcampus apply --step hub; if not, find out who answers at {host}.",
    ),
    "tunnel.refused": (
        BROKEN,
        "{host}:{port} refuses {user} with a fresh certificate",
        "Run: hpcampus apply --step tunnel; why sshd refuses: journalctl -u ssh -n 20",
    ),
    "tunnel.no-listen": (
        BROKEN,
        "{host}:{port} lets {user} in, but not listen on port {listen}",
        (
            "Look for another Match block in /etc/ssh/sshd_config.d that comes before 50-hpcampus-tunnel.conf; "
            "then: hpcampus apply --step tunnel"
        ),
    ),
    "tunnel.too-much": (
        BROKEN,
        "{host}:{port} lets a certificate for port {listen} listen on port {other} as well",
        "Stop new notebooks (systemctl stop jupyterhub), then: hpcampus apply --step tunnel",
    ),
    "tunnel.silent": (
        BROKEN,
        "{host}:{port} cannot be reached: {error}",
        (
            "Start sshd (systemctl restart ssh), or correct site_hub_address and site_hub_ssh_port, "
            "by which the compute nodes reach this host."
        ),
    ),
    "tunnel.not-from-here": (
        WARNING,
        "works on 127.0.0.1:{port}, but {host}:{port} cannot be reached from this host",
        "See on a compute node that the address answers: nc -vz {host} {port}; if not, correct site_hub_address or the firewall.",
    ),
    "carrier.good": (OK, "connections to jobs: {up} up", ""),
    "carrier.no-key": (
        BROKEN,
        "{error}",
        "Run: hpcampus apply --step hub",
    ),
    "carrier.down": (
        WARNING,
        "connections to jobs: {up} up, {down} down: {connections}",
        "Read why: journalctl -u hpcampus-carrier -n 50; forward and direct need the nodes' ports open to this host or to the login node.",
    ),
    # --- a cluster ---
    "login-name.good": (OK, "{host} is {addresses}", ""),
    "login-name.unknown": (
        BROKEN,
        "{host} has no address: {error}",
        "Correct site_login_address, or let the DNS of this host know the name; then: hpcampus apply --step hub",
    ),
    "login-port.good": (OK, "{host}:{port} accepts connections", ""),
    "login-port.refused": (
        BROKEN,
        "{host}:{port} refuses connections",
        "Start sshd on the login node, or correct site_login_ssh_port and run: hpcampus apply --step hub",
    ),
    "login-port.silent": (
        BROKEN,
        "{host}:{port} cannot be reached: {error}",
        "Let the firewalls pass TCP from this host to {host}:{port}; see whether the login node is up.",
    ),
    "host-key.good": (OK, "is the pinned one, {fingerprint}", ""),
    "host-key.other": (
        BROKEN,
        "{host} shows {fingerprint}, pinned is {pinned}",
        (
            "Compare the fingerprint at the login node's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); only if it is the "
            "same: hpcampus setup, then hpcampus apply --step hub"
        ),
    ),
    "host-key.none": (
        BROKEN,
        "{host}:{port} is not an ssh server that shows a host key: {error}",
        "See what listens there (nc {host} {port}), and correct site_login_address or site_login_ssh_port.",
    ),
    "account.good": (OK, "{user} accepts this hub's key", ""),
    "account.refused": (
        BROKEN,
        "{user} refuses this hub's key",
        "Put the key on the login node again: hpcampus apply --step gateway; why sshd refuses it: journalctl -u ssh there",
    ),
    "account.no-key": (
        BROKEN,
        "the private key {path} cannot be used: {error}",
        "Make it again: hpcampus apply --from hub",
    ),
    "account.closed": (
        BROKEN,
        "{user}: {error}",
        "See sshd's journal on the login node: journalctl -u ssh -n 20; a full disk or a locked account ends a login, too.",
    ),
    "gateway.good": (OK, "protocol {protocol}, Slurm {slurm}", ""),
    "gateway.ended": (
        BROKEN,
        "{error}",
        "Install it again: hpcampus apply --step gateway",
    ),
    "gateway.strange": (
        BROKEN,
        "{error}",
        "Let hub and cluster run the same version: hpcampus apply --from hub; something that a login prints (motd, .bashrc) must go.",
    ),
    "gateway.silent": (
        BROKEN,
        "does not greet within {seconds} s",
        "Look at the load and at the home directory of the login node: uptime, df; a file system that hangs holds every login up.",
    ),
    "clock.good": (OK, "{skew} s apart", ""),
    "clock.skewed": (
        WARNING,
        "the clocks of hub and login node are {skew} s apart",
        "Set the time on the one that is wrong: timedatectl set-ntp true, and see timedatectl timesync-status",
    ),
    "clock.strange": (
        WARNING,
        "the gateway tells no time",
        "Install it again: hpcampus apply --step gateway",
    ),
    "slurm.good": (OK, "answers; partitions: {partitions}", ""),
    "slurm.fails": (
        BROKEN,
        "{error}",
        "See on the controller: systemctl status slurmctld munge, and on the login node: sinfo",
    ),
    "slurm.silent": (
        BROKEN,
        "{error}",
        "The controller is overloaded or down: systemctl status slurmctld, sdiag",
    ),
    "partitions.good": (OK, "every profile fits: {profiles}", ""),
    "partitions.missing": (
        BROKEN,
        "{profile}: there is no partition {partition}",
        "Correct the partition of {profile} in site_profiles (there are {known}), or add it to site_partitions; then: hpcampus apply",
    ),
    "partitions.down": (
        BROKEN,
        "{profile}: partition {partition} is not up",
        "On the controller: scontrol update partitionname={partition} state=up",
    ),
    "partitions.empty": (
        BROKEN,
        "{profile}: partition {partition} has no node",
        "Give it nodes in site_partitions, then: hpcampus apply --step slurm",
    ),
    "partitions.cpus": (
        BROKEN,
        "{profile} wants {wanted} CPUs, the largest node of {partition} has {most}",
        "Lower cpus of {profile} in site_profiles, then: hpcampus apply --step hub",
    ),
    "partitions.memory": (
        BROKEN,
        "{profile} wants {wanted} MB, the largest node of {partition} has {most}",
        "Lower memory of {profile} in site_profiles, then: hpcampus apply --step hub",
    ),
    "partitions.time": (
        BROKEN,
        "{profile} wants {wanted} minutes, {partition} allows {most}",
        "Lower time_limit_minutes of {profile} in site_profiles, then: hpcampus apply --step hub",
    ),
    "partitions.gres": (
        BROKEN,
        "{profile} wants {wanted}, the nodes of {partition} offer {most}",
        "Correct gres of {profile} in site_profiles, or site_node_gres of the nodes; then: hpcampus apply",
    ),
    "partitions.range": (
        WARNING,
        "{profile} lets people ask for {top} as {key}, {partition} has at most {most}",
        "Lower the upper bound of {key} of {profile} in site_profiles, then: hpcampus apply --step hub",
    ),
    "partitions.choice": (
        WARNING,
        "{profile} lets people ask for {choices}, the nodes of {partition} offer {most}",
        "Take what is not there out of the choices of {profile} in site_profiles, then: hpcampus apply --step hub",
    ),
    "path.good": (OK, "{path} works, tried on {node}; all that work: {others}", ""),
    "path.not-asked": (
        NOT_TRIED,
        "needs a short job",
        "Try every data path with one short job: hpcampus-doctor --paths",
    ),
    "path.no-profile": (
        NOT_TRIED,
        "needs a profile of cluster {cluster}",
        "Give the cluster a size in site_profiles, then: hpcampus apply --step hub",
    ),
    "path.broken": (
        BROKEN,
        "{path} does not work from {node}: {why}; works: {others}",
        "Open what the words name in the firewall, or choose a data_path that works for this cluster, then: hpcampus apply --step hub",
    ),
    "path.none": (
        BROKEN,
        "none works from {node}: {story}",
        (
            "For relay a node needs an sshd program (apt install openssh-server there); for reverse, let it reach site_hub_ssh_port of "
            "site_hub_address."
        ),
    ),
    "path.failed": (
        BROKEN,
        "{error}",
        "A job that does not start: squeue --start and sinfo -R on the login node; an older gateway: hpcampus apply --step gateway",
    ),
    "queue.good": (OK, "{jobs} jobs of this hub: {running} run, {pending} wait", ""),
    "queue.fails": (
        BROKEN,
        "{error}",
        "See on the controller: systemctl status slurmctld; and on the login node, as the account: squeue --me",
    ),
    "images.good": (OK, "published: {images}", ""),
    "images.missing": (
        BROKEN,
        "not published: {images}",
        "Build and publish them: hpcampus apply --step images",
    ),
    "images.unknown": (
        WARNING,
        "the gateway cannot tell: {error}",
        "Bring it to this hub's version: hpcampus apply --step gateway",
    ),
    "storage.good": (OK, "{path} can be written, {free} free", ""),
    "storage.low": (
        WARNING,
        "{path}: only {free} free",
        "Make room on the cluster's file system soon, or ask its administrator for more; see du -sh {path}/users/*",
    ),
    "storage.full": (
        BROKEN,
        "{path}: {free} and {files} new files left",
        "Make room on the cluster's file system, or ask its administrator for more; see du -sh {path}/users/*",
    ),
    "storage.unwritable": (
        BROKEN,
        "{path} cannot be written: {error}",
        (
            "On the login node, as the account: quota -s and touch {path}/spawns/x; a full quota, a read-only mount or other rights are "
            "mended there, rights by: hpcampus apply --step gateway"
        ),
    ),
    "storage.unknown": (
        WARNING,
        "the gateway cannot tell: {error}",
        "Bring it to this hub's version: hpcampus apply --step gateway",
    ),
    # --- a notebook ---
    "sign-in.good": (OK, "{user} is in after {seconds} s", ""),
    "sign-in.no-password": (
        NOT_TRIED,
        "needs a password",
        "Start a notebook as well: hpcampus-doctor --spawn --user NAME --password-file FILE",
    ),
    "sign-in.broken": (
        BROKEN,
        "{error}",
        (
            "Give name and password of an account that can log in (site_verify_user, site_verify_password); "
            "see also: journalctl -u jupyterhub -n 50"
        ),
    ),
    "job.good": (OK, "job {job} started on {node} after {seconds} s", ""),
    "job.passed": (OK, "{words}", ""),
    "job.broken": (
        BROKEN,
        "{error}",
        (
            "The words of the hub name the cause; a job that waits: squeue --start and sinfo -R on the login node; one that ran and "
            "ended: its log below site_shared_dir/log"
        ),
    ),
    "way-back.good": (OK, "the job reached this hub after {seconds} s", ""),
    "way-back.passed": (OK, "{words}", ""),
    "way-back.broken": (
        BROKEN,
        "{error}",
        (
            "Reverse: the compute node must reach this hub's sshd, nc -vz ADDRESS PORT there with site_hub_address and "
            "site_hub_ssh_port; other data paths: journalctl -u hpcampus-carrier -n 50; both: the job's log below site_shared_dir/log"
        ),
    ),
    "server.good": (OK, "the notebook server answered after {seconds} s", ""),
    "server.broken": (
        BROKEN,
        "{error}",
        "Read the job's log below site_shared_dir/log on the login node; prove the image: hpcampus apply --step images",
    ),
    "api.good": (OK, "the server starts a kernel on request", ""),
    "api.broken": (
        BROKEN,
        "{error}",
        "Read the job's log below site_shared_dir/log on the login node, and: journalctl -u jupyterhub-proxy -n 20",
    ),
    "websocket.good": (OK, "the kernel's channel opened after {seconds} s", ""),
    "websocket.broken": (
        BROKEN,
        "{error}",
        "What stands before this host (load balancer, firewall) must pass websockets; on this host: hpcampus apply --step apache",
    ),
    "cell.good": (OK, "a cell ran on {node} in {seconds} s", ""),
    "cell.broken": (
        BROKEN,
        "{error}",
        "Prove the image: hpcampus apply --step images; too little memory also ends a kernel (memory in site_profiles).",
    ),
    "stop.good": (OK, "the job ended {seconds} s after it was asked to", ""),
    "stop.broken": (
        BROKEN,
        "{error}",
        "See whether Slurm ends the job: squeue on the login node, scancel NUMBER; and: journalctl -u jupyterhub -n 50",
    ),
}


def say(case: str, /, **values: object) -> Said:
    """What a case says, with its values filled in; each value is made fit to be shown."""
    verdict, seen, cure = CASES[case]
    fit = {name: shown(str(value)) for name, value in values.items()}
    return Said(verdict, seen.format(**fit), cure.format(**fit))


def together(all_said: Sequence[Said]) -> Said:
    """Several findings of one leg as one: the worst verdict, everything seen, every cure once."""
    order = (Verdict.BROKEN, Verdict.WARNING, Verdict.NOT_TRIED, Verdict.OK)
    verdict = min((said.verdict for said in all_said), key=order.index)
    telling = [said for said in all_said if said.verdict is verdict]
    cures = dict.fromkeys(said.cure for said in telling if said.cure)
    return Said(verdict, "; ".join(said.seen for said in telling), " ".join(cures))
