# One host, by the launcher `hostseal-launch` on PATH (docs/reference/launcher.md). This module is the boundary: a cloud's
# module with the same variables can take its place.

variable "slot" {
  type = string
}

variable "generation" {
  type = number
}

variable "instance" {
  type        = string
  description = "The instance's id, a UUID: by it a host that is there already is found instead of made a second time."
}

variable "image" {
  type = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is named by its digest, sha256: and 64 hexadecimal digits."
  }
}

resource "terraform_data" "host" {
  input = {
    slot       = var.slot
    generation = var.generation
    instance   = var.instance
    image      = var.image
  }
  triggers_replace = [var.slot, var.generation, var.instance, var.image]

  # The request is one argument: no shell reads it.
  provisioner "local-exec" {
    interpreter = ["hostseal-launch"]
    command     = jsonencode(merge({ action = "create" }, self.input))
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["hostseal-launch"]
    command     = jsonencode({ action = "destroy", instance = self.output.instance })
  }
}
