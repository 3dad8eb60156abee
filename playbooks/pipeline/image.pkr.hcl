# Builds the host image: the collection's roles on a build instance, whose disk is then captured without what is one
# host's alone. `hostseal image build` boots the instance, calls Packer and signs what comes out.
# In a cloud the source is that cloud's builder, which boots and captures by itself; the provisioners stay.

variable "host" {
  type        = string
  description = "The build instance's address."
}

variable "user" {
  type = string
}

variable "private_key" {
  type        = string
  description = "The file of the key that the build instance knows; it is not in the image."
}

variable "ssh_arguments" {
  type        = string
  description = "Options of ssh by which the build instance's host key is known."
}

variable "ansible_playbook" {
  type        = string
  description = "The ansible-playbook program."
}

variable "collections" {
  type        = string
  description = "The folder of the collection hostseal.core."
}

variable "play_variables" {
  type        = string
  description = "A JSON file with the roles' variables."
}

variable "launcher" {
  type        = string
  description = "The launcher program, which captures the instance's disk."
}

variable "capture" {
  type        = string
  description = "The request to the launcher, as JSON."
}

source "null" "instance" {
  communicator         = "ssh"
  ssh_host             = var.host
  ssh_username         = var.user
  ssh_private_key_file = var.private_key
  ssh_timeout          = "60s"
}

build {
  sources = ["source.null.instance"]

  provisioner "ansible" {
    playbook_file = "${path.root}/image.yml"
    command       = var.ansible_playbook
    user          = var.user
    # Straight to the instance, whose host key Ansible checks; Packer's proxy would take its place.
    use_proxy = false
    ansible_env_vars = [
      "ANSIBLE_COLLECTIONS_PATH=${var.collections}",
      "ANSIBLE_SSH_PIPELINING=True",
      # Nothing goes on for long once the instance is gone.
      "ANSIBLE_SSH_ARGS=-C -o ControlMaster=auto -o ControlPersist=5s -o ServerAliveInterval=5 -o ServerAliveCountMax=3",
      "ANSIBLE_NOCOLOR=1",
    ]
    extra_arguments = [
      "--extra-vars", "@${var.play_variables}",
      "--private-key", var.private_key,
      "--ssh-common-args", var.ssh_arguments,
    ]
  }

  provisioner "shell" {
    script          = "${path.root}/never-started.sh"
    execute_command = "sudo -n sh {{ .Path }}"
    # Outside the sealed trees, and gone before the disk is captured.
    remote_folder = "/tmp"
  }

  post-processor "shell-local" {
    environment_vars = ["LAUNCHER=${var.launcher}", "REQUEST=${var.capture}"]
    inline           = ["exec \"$LAUNCHER\" \"$REQUEST\""]
  }
}
