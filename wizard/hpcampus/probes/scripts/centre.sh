# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
#
# Looks at the login node of somebody else's cluster: read by `sh -s`, needs no privilege, writes nothing. What it prints stands between
# marks, since profiles and greetings of the site print as well. The last line runs it, so that a script cut short does nothing.

# A site sets its paths, its modules and the variables that name its directories in the profile of a login shell alone.
login_shell() {
    limited 20 bash -lc '
        say() { printf "\nhpcampus:%s=%s\n" "$1" "$2"; }
        container() { command -v apptainer || command -v singularity; }
        say sbatch "$(command -v sbatch)"
        for name in PROJECT PROJECTS PROJECTDIR PROJECT_HOME PROJECT_DIR GROUP_HOME GROUPDIR WORK WORKDIR DATA; do
            say directory "$name:${!name}"
        done
        say container "$(container)"
        if [ -n "$(container)" ]; then
            say version "$("$(container)" --version 2>/dev/null | tail -n 1)"
        fi
        if [ -n "$(type -t module)" ]; then
            say modules yes
            for name in apptainer singularity; do
                module -t avail "$name" 2>&1 | sed "s/^/hpcampus:avail=/"
                if [ -n "$LMOD_CMD" ]; then
                    module -t spider "$name" 2>&1 | sed "s/^/hpcampus:spider=/"
                fi
                (
                    module load "$name" >/dev/null 2>&1 || exit
                    [ -n "$(container)" ] || exit
                    say loaded "$name"
                    say loaded_path "$(container)"
                    say loaded_version "$("$(container)" --version 2>/dev/null | tail -n 1)"
                    module -t list 2>&1 | sed "s/^/hpcampus:loaded_list=/"
                )
            done
        fi
    ' 2>/dev/null
}

pythons() {
    for python in /usr/bin/python3 "$(command -v python3)" /usr/bin/python3.? /usr/bin/python3.?? /usr/libexec/platform-python /usr/local/bin/python3; do
        if [ -x "$python" ]; then
            printf '%s ' "$python"
            limited 5 "$python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])'
        fi
    done
}

place() { # KIND PATH: one line of a directory that this account may write to, from behind its symbolic links
    # shellcheck disable=SC2016
    limited 5 sh -c '
        cd "$2" 2>/dev/null && [ -w . ] || exit 0
        real=$(pwd -P)
        owner=
        if [ -e "$real/hpcampus" ] || [ -L "$real/hpcampus" ]; then owner=$(stat -c %U "$real/hpcampus"); fi
        free=$(df -Pk . | awk "NR > 1 {print \$4}" | tail -n 1)
        printf "%s|%s|%s|%s|%s\n" "$1" "$real" "$free" "$(stat -f -c %T .)" "$owner"
    ' sh "$1" "$2"
}

places() {
    printf '%s\n' "$profile" | sed -n 's/^hpcampus:directory=[A-Z_]*:\(.\)/\1/p' | while IFS= read -r directory; do
        place named "$directory"
    done
    # An automounter with many directories may take long to list them.
    # shellcheck disable=SC2016
    limited 5 sh -c '
        for directory in /project/*/"$1" /projects/*/"$1" /project/"$1" /projects/"$1" /data/"$1" /gpfs/*/"$1"; do
            [ ! -d "$directory" ] || printf "%s\n" "$directory"
        done
        # A group may share a directory without one for each of its members.
        for group in $(id -Gn); do
            for directory in /project/"$group" /projects/"$group"; do
                [ ! -d "$directory" ] || printf "%s\n" "$directory"
            done
        done
    ' sh "$user" | while IFS= read -r directory; do
        place usual "$directory"
    done
    place home "$HOME"
}

quotas() {
    if command -v quota >/dev/null 2>&1; then limited 5 quota -w; fi
    if command -v lfs >/dev/null 2>&1; then
        printf '%s\n' "$writable" | sed -n 's/^[a-z]*|\([^|]*\)|[0-9]*|lustre|.*/\1/p' | while IFS= read -r directory; do
            limited 5 lfs quota -q -u "$user" "$directory"
        done
    fi
}

subordinate() {
    printf 'subuid %s\n' "$(grep -c "^\($user\|$(id -u)\):" /etc/subuid 2>/dev/null)"
    printf 'subgid %s\n' "$(grep -c "^\($user\|$(id -u)\):" /etc/subgid 2>/dev/null)"
    printf 'namespaces %s\n' "$(cat /proc/sys/user/max_user_namespaces 2>/dev/null)"
    printf 'clone %s\n' "$(cat /proc/sys/kernel/unprivileged_userns_clone 2>/dev/null)"
}

programs() {
    for program in bash ssh sshd squashfuse fusermount3 sacctmgr; do
        printf '%s %s\n' "$program" "$(command -v "$program")"
    done
}

find_slurm() { # prints the directory of sbatch
    for program in /usr/bin/sbatch /usr/local/bin/sbatch "$(command -v sbatch)" \
        "$(printf '%s\n' "$profile" | sed -n 's/^hpcampus:sbatch=\(.\)/\1/p' | tail -n 1)" \
        /opt/slurm/bin/sbatch /opt/slurm/*/bin/sbatch /usr/local/slurm/bin/sbatch /cm/shared/apps/slurm/current/bin/sbatch; do
        if [ -x "$program" ]; then
            dirname "$program"
            return
        fi
    done
}

main() {
    LC_ALL=C
    export LC_ALL
    PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    user=$(id -un)
    section now date +%s
    section release cat /etc/os-release
    section groups id -Gn
    profile=$(login_shell)
    section profile printf '%s\n' "$profile"
    slurm=$(find_slurm)
    section slurm_dir printf '%s\n' "$slurm"
    if [ -n "$slurm" ]; then
        # As the platform calls it later.
        (
            PATH=$slurm:/usr/local/bin:/usr/bin:/bin
            section version limited 8 sinfo --version
            section sinfo limited 8 sinfo -h -a -e -o '%P|%a|%l|%L|%D|%c|%m|%G|%T'
            # A controller that gives no answer would give none to the others either, each after its own time.
            if [ "$last" = 0 ]; then
                section partitions limited 4 scontrol show partition -a -o
                section config limited 4 scontrol show config
                section reservations limited 4 scontrol show reservation -o
                section associations limited 6 sacctmgr -nP show assoc where user="$user" \
                    format=Cluster,Account,Partition,QOS,DefaultQOS,MaxJobs,MaxSubmit,MaxWall
            fi
        )
    fi
    section pythons pythons
    section subordinate subordinate
    section programs programs
    writable=$(places)
    section places printf '%s\n' "$writable"
    section quotas quotas
    section complete true
}

main </dev/null
