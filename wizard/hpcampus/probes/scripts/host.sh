# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
#
# Looks at a host that the platform is to be installed on: read by `sh -s`, writes nothing, and uses root's rights only where the account
# has them without a password. What it prints stands between marks. The last line runs it, so that a script cut short does nothing.

privileged() { # PROGRAM ARGUMENTS...: as root where that needs no password, else as this account
    case $root in
        root) limited 8 "$@" ;;
        sudo) limited 8 sudo -n "$@" ;;
        *) limited 8 "$@" ;;
    esac
}

find_root() { # prints how this account becomes root without a password
    if [ "$(id -u)" = 0 ]; then
        echo root
    elif command -v sudo >/dev/null 2>&1 && limited 5 sudo -n true >/dev/null 2>&1; then
        echo sudo
    elif command -v sudo >/dev/null 2>&1; then
        echo password
    else
        echo no
    fi
}

size() {
    printf 'cpus %s\n' "$(nproc)"
    printf 'memory_kb %s\n' "$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)"
    printf 'machine %s\n' "$(uname -m)"
    printf 'names %s\n' "$(hostname) $(hostname -f 2>/dev/null)"
    printf 'addresses %s\n' "$(hostname -I 2>/dev/null)"
    printf 'synchronised %s\n' "$(limited 3 timedatectl show -p NTPSynchronized --value 2>/dev/null)"
}

disks() { # free space of where the platform writes
    for directory in / /var /srv /home; do
        [ ! -d "$directory" ] || printf '%s %s\n' "$directory" "$(limited 5 df -Pk "$directory" | awk 'NR > 1 {print $6, $4}' | tail -n 1)"
    done
}

mounts() { # POINT TYPE SOURCE INODE_BIRTH of what may hold a site's files; the last is the same on all hosts that share it
    awk '$3 ~ /^(autofs|ext[234]|xfs|btrfs|zfs|overlay|nfs4?|cifs|smb3|lustre|gpfs|beegfs.*|ceph|glusterfs|9p|virtiofs|afs|panfs|orangefs|fuse[.].*)$/ {print $2, $3, $1}' \
        /proc/self/mounts | while read -r point type source; do
        case $point in
            /var/lib/containers/* | /var/lib/docker/* | /snap/*) continue ;;
        esac
        identity=
        # Where the file system tells no birth, the last change is as good, unless something changes there this very moment.
        [ "$type" = autofs ] || identity=$(limited 3 stat -c '%i|%w|%z' "$point" 2>/dev/null | awk -F '|' '{print $1 "_" ($2 == "-" ? $3 : $2)}' | tr ' ' '_')
        printf '%s %s %s %s\n' "$point" "$type" "$source" "$identity"
    done
}

programs() {
    for program in python3 apt-get apptainer singularity slurmd slurmctld sbatch sinfo munged apache2 nginx caddy lighttpd haproxy jupyterhub nvidia-smi ufw firewall-cmd nft; do
        printf '%s %s\n' "$program" "$(command -v "$program")"
    done
}

versions() {
    for program in apptainer singularity; do
        if command -v "$program" >/dev/null 2>&1; then
            printf 'container %s\n' "$(limited 5 "$program" --version 2>/dev/null | tail -n 1)"
        fi
    done
    for program in sinfo slurmd slurmctld; do
        if command -v "$program" >/dev/null 2>&1; then
            printf 'slurm %s\n' "$(limited 5 "$program" -V 2>/dev/null | tail -n 1)"
            break
        fi
    done
}

gpus() {
    if command -v nvidia-smi >/dev/null 2>&1; then
        limited 8 nvidia-smi --query-gpu=name --format=csv,noheader
    else
        for device in /dev/nvidia[0-9]*; do
            [ ! -e "$device" ] || echo NVIDIA
        done
    fi
}

units() { # web servers, hubs and Slurm's daemons that run
    limited 5 systemctl list-units --plain --no-legend --no-pager --state=active --type=service \
        'apache2*' 'nginx*' 'caddy*' 'lighttpd*' 'haproxy*' 'jupyterhub*' 'slurm*' 'munge*' 'ufw*' 'firewalld*' 'nftables*' | awk '{print $1}'
}

hubs() { # traces of a JupyterHub, of whomever
    for trace in /opt/jupyterhub /opt/tljh /etc/jupyterhub /srv/jupyterhub /var/lib/jupyterhub /etc/hpcampus; do
        [ ! -e "$trace" ] || echo "$trace"
    done
}

main() {
    LC_ALL=C
    export LC_ALL
    PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    section now date +%s
    section release cat /etc/os-release
    root=$(find_root)
    section root printf '%s\n' "$root"
    section size size
    section programs programs
    section versions versions
    section units units
    section hubs hubs
    section slurm_ours grep -l 'Managed by hpcampus' /etc/slurm/slurm.conf /etc/default/slurmd
    section gpus gpus
    section disks disks
    section mounts mounts
    if command -v ss >/dev/null 2>&1; then section listeners privileged ss -H -ltnp; fi
    if command -v ufw >/dev/null 2>&1; then section ufw privileged ufw status; fi
    if command -v nft >/dev/null 2>&1; then section nft privileged nft list ruleset; fi
    # What apt has counts only where there is none; reading its lists takes a second.
    if command -v apt-cache >/dev/null 2>&1 && ! command -v apptainer >/dev/null 2>&1 && ! command -v singularity >/dev/null 2>&1; then
        section candidate limited 8 apt-cache policy apptainer
    fi
    section complete true
}

main </dev/null
