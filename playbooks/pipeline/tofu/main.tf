# The fleet, one host per entry. For OpenTofu and Terraform; needs no provider but the built-in one.
#
# A replacement is two plans, each of exactly one change: the successor is an entry more, and later its predecessor an
# entry less. Nothing is replaced in place, so a plan that would is refused (docs/decisions/0019-two-plans.md).

terraform {
  required_version = ">= 1.4"
  backend "local" {}
}

variable "image" {
  type        = string
  description = "The digest (sha256:HEX) of the image of hosts that name none of their own."
  default     = null
}

variable "hosts" {
  type = map(object({
    slot       = string
    generation = number
    instance   = string
    image      = optional(string)
  }))
  description = "The hosts that are to be, by name (SLOT-gGENERATION): their place in the fleet and their image."

  validation {
    condition     = alltrue([for name, host in var.hosts : name == "${host.slot}-g${host.generation}"])
    error_message = "A host is named by its slot and its generation: SLOT-gGENERATION."
  }
}

module "host" {
  source   = "./modules/host"
  for_each = var.hosts

  slot       = each.value.slot
  generation = each.value.generation
  instance   = each.value.instance
  image      = coalesce(each.value.image, var.image)
}
