import sys, time, pathlib, shutil
from tests.install.test_own_cluster import *
from tests.install.stages import *
lab=Lab.saved(LAB)
home=pathlib.Path('/tmp/h/german-admin')
c=Controller.__new__(Controller); c.home=home; c.hosts_file=home/'hosts'; c.ssh=home/'.ssh'; c.ssh_of_root=pathlib.Path('/root/.ssh')
